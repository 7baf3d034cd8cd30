"""Which pages are open follows from the alerts, whatever order those of different partitions come in."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.alerts import alert
from streams.alert import Alert, Status
from streams.sinks.pages import Pages


def paging(number: int, revision: int, tier: int, breach: int, **changes: Any) -> Alert:
    told = {"page": True, "pages": 1, "paged_tier": tier, "breach": alert(breach).id}
    return alert(number, revision, **told | changes)


def open_pages(*alerts: Alert) -> list[tuple[str, str]]:
    pages = Pages()
    pages.take(alerts)
    return [(page.alert.id[-1], page.labels["tier"]) for page in pages.open]


def test_a_breach_has_one_open_page_its_highest() -> None:
    assert open_pages(paging(1, 1, 10, 1), paging(2, 1, 100, 1), alert(3)) == [("2", "100")]


def test_it_is_over_when_none_of_its_alerts_is_open() -> None:
    first, second = paging(1, 1, 10, 1), paging(2, 1, 100, 1)
    closed = second.model_copy(update={"revision": 2, "page": False, "status": Status.CLOSED})
    assert open_pages(first, second, closed) == [("2", "100")], "the first one goes on"
    over = first.model_copy(update={"revision": 2, "page": False, "status": Status.RETRACTED})
    assert open_pages(first, second, closed, over) == []


def test_an_alert_that_goes_on_in_another_breach_leaves_the_former_one() -> None:
    first = paging(1, 1, 10, 1)
    assert open_pages(first, paging(1, 2, 10, 2, pages=2)) == [("1", "10")]
    closed = paging(4, 3, 10, 1, page=False, status=Status.CLOSED)
    assert open_pages(alert(4, 1), paging(4, 2, 10, 1), closed) == []


def test_an_older_revision_changes_nothing() -> None:
    closed = paging(1, 2, 10, 1, page=False, status=Status.CLOSED)
    assert open_pages(paging(1, 1, 10, 1), closed, paging(1, 1, 10, 1)) == []


@given(st.data())
def test_the_order_between_partitions_is_no_matter(data: st.DataObject) -> None:
    statuses = st.sampled_from([Status.OPEN, Status.OPEN, Status.CLOSED])
    by_alert: dict[int, list[Alert]] = {}
    for number in range(1, 5):
        count = data.draw(st.integers(1, 3))
        by_alert[number] = [
            paging(
                number,
                revision,
                10 * number + revision,
                data.draw(st.integers(1, 2)),
                page=data.draw(st.booleans()),
                pages=revision,
                status=data.draw(statuses) if revision == count else Status.OPEN,
            )
            for revision in range(1, count + 1)
        ]
    plain = [one for alerts in by_alert.values() for one in alerts]
    order = data.draw(st.permutations([number for number, alerts in by_alert.items() for _ in alerts]))
    left = {number: [*alerts] for number, alerts in by_alert.items()}
    mixed = [left[number].pop(0) for number in order]
    assert sorted(open_pages(*mixed)) == sorted(open_pages(*plain))
