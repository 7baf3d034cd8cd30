"""What must be equal between two shells over the same log."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from streams.alert import Alert


def episodes(alerts: Iterable[Alert]) -> list[dict[str, Any]]:
    """Give the last revision of each alert as all shells must tell it: without what order decides."""
    last: dict[str, Alert] = {}
    for alert in alerts:
        if alert.id not in last or alert.revision > last[alert.id].revision:
            last[alert.id] = alert
    aside = {"id", "superseded_by", "breach", "pages", "status"}
    told = [
        {name: value for name, value in alert.canonical().items() if name not in aside}
        for alert in last.values()
        if alert.status not in ("superseded", "retracted")
    ]
    return sorted(told, key=lambda one: (*_order(one), one["first"]))


def pages(alerts: Iterable[Alert]) -> int:
    return sum(alert.page for alert in alerts)


def paged(alerts: Iterable[Alert]) -> set[str | None]:
    """Give who was paged for. How often depends on how much was known at each page, and so on the order."""
    return {alert.actor.id for alert in alerts if alert.page}


def differing(place: str, found: Any, wanted: Any) -> Iterator[str]:
    """Name the places at which two documents differ, with what stands there."""
    if isinstance(found, dict) and isinstance(wanted, dict):
        for name in sorted(found.keys() | wanted.keys()):
            yield from differing(f"{place}.{name}", found.get(name), wanted.get(name))
    elif isinstance(found, list) and isinstance(wanted, list) and len(found) == len(wanted):
        for number, (one, other) in enumerate(zip(found, wanted, strict=True)):
            yield from differing(f"{place}[{number}]", one, other)
    elif found != wanted:
        yield f"{place}: {found!r:.300} instead of {wanted!r:.300}"


def same(found: Iterable[Alert], wanted: Iterable[Alert]) -> None:
    """Fail where the episodes or the number of pages differ, and say in what."""
    found, wanted = list(found), list(wanted)
    one, other = ({_name(each): each for each in episodes(some)} for some in (found, wanted))
    told = [f"missing: {name}" for name in other.keys() - one.keys()]
    told += [f"not wanted: {name}" for name in one.keys() - other.keys()]
    told += [
        f"{name}: {place}" for name in one if name in other for place in differing("", one[name], other[name])
    ]
    assert not told, "\n".join(told)
    assert paged(found) == paged(wanted)


def _name(episode: dict[str, Any]) -> str:
    return " ".join([*_order(episode), "from", episode["first"]])


def _order(episode: dict[str, Any]) -> tuple[str, str, str]:
    """A rule's alert, and the one that it would raise without an exception, may be of one group and time."""
    return episode["rule"]["id"], repr(episode["group"]), repr(episode["suppressed_by"])
