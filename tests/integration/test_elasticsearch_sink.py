"""Alerts in a real Elasticsearch: what is there after writing, once or again, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from elasticsearch import BadRequestError

from services.alert_site import Site
from services.alerts import alert
from streams.alert import Status
from streams.sinks import elasticsearch_setup

pytestmark = pytest.mark.services


@pytest.fixture
def site(elasticsearch: str) -> Iterator[Site]:
    made = Site(elasticsearch)
    yield made
    made.client.close()


def test_every_revision_is_there_once_and_the_newest_one_of_each(site: Site) -> None:
    alerts = [alert(number, revision) for revision in (1, 2, 3) for number in range(20)]
    for _ in range(2):
        assert site.write(alerts, batch=7) == []
    assert site.count("revisions") == 60
    assert site.count("alerts") == 20
    assert site.newest(7) == alert(7, 3), "all of it comes back"
    assert site.heard.outcomes["created"] == site.heard.outcomes["duplicate"] == 80


def test_an_older_revision_never_comes_back(site: Site) -> None:
    site.write([alert(1, 3, status=Status.CLOSED)])
    site.write([alert(1, 2)])
    assert site.newest(1).status is Status.CLOSED
    assert site.count("revisions") == 2


def test_a_revision_lies_where_its_own_time_says(site: Site) -> None:
    site.write([alert(1), alert(2, last="2026-04-01T00:00:00Z")])
    names = sorted(site.client.indices.get(index=f"{site.prefix}-revisions-*"))
    assert names == [f"{site.prefix}-revisions-2026.03", f"{site.prefix}-revisions-2026.04"]


def test_what_the_mapping_refuses_is_given_back_and_the_rest_is_written(site: Site) -> None:
    odd = alert(2, first="no time, but Mrs Jones", last="2026-03-02T10:00:00Z")
    (refused,) = site.write([alert(1), odd, alert(3)])
    assert refused.item == odd
    assert refused.error == "document_parsing_exception"
    assert "event.start" in refused.reason or "outfall.alert.first" in refused.reason
    assert "Jones" not in refused.reason
    assert site.count("alerts") == 2


def test_fields_are_ecs_and_others_are_not_taken(site: Site) -> None:
    site.write([alert(1)])
    index = f"{site.prefix}-alerts"
    for field, value in (
        ("event.kind", "alert"),
        ("threat.technique.id", "T1567.002"),
        ("outfall.alert.evidence.fields.url.full", "https://files.example/upload"),
    ):
        found = site.client.search(index=index, query={"term": {field: value}})
        assert found["hits"]["total"]["value"] == 1, field
    with pytest.raises(BadRequestError, match="strict_dynamic_mapping_exception"):
        site.client.index(index=index, document={"@timestamp": "2026-03-02T10:00:00Z", "odd": 1})


def test_setup_is_known_again_and_a_change_is_seen(site: Site) -> None:
    assert all(part.fine for part in elasticsearch_setup.check(site.client, site.prefix))
    name = f"{site.prefix}-alerts"
    there = site.client.indices.get_index_template(name=name)["index_templates"][0]["index_template"]
    site.client.indices.put_index_template(
        name=name, index_patterns=there["index_patterns"], composed_of=there["composed_of"], priority=300
    )
    found = [part for part in elasticsearch_setup.check(site.client, site.prefix) if not part.fine]
    assert [(part.kind, part.name, part.state) for part in found] == [("index-templates", name, "different")]


def test_without_our_templates_nobody_writes(site: Site) -> None:
    assert elasticsearch_setup.missing(site.client, site.prefix) is None
    assert "there is no index" in str(elasticsearch_setup.missing(site.client, f"{site.prefix}x"))
    site.client.indices.create(index=f"{site.prefix}y-alerts")
    assert "takes any field" in str(elasticsearch_setup.missing(site.client, f"{site.prefix}y"))
