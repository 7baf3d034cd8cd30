"""The dashboards for Kibana: made from their sources, and each panel asks what Elasticsearch can answer."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services.alert_site import Site
from services.alerts import alert
from services.dashboards import DASHBOARDS, Panel, compiler, objects, panels
from streams.alert import Status
from streams.event import rfc3339
from streams.sinks.elasticsearch_events import read_event
from streams.sinks.elasticsearch_queue import ElasticsearchQueue
from streams.sinks.handling import Action

pytestmark = pytest.mark.services

PANELS = [*panels()]


def ago(**time: float) -> str:
    moment = dt.datetime.now(dt.UTC) - dt.timedelta(**time)
    return rfc3339(int(moment.timestamp()) * 1_000_000_000)


@pytest.fixture(scope="module")
def site(elasticsearch: str) -> Site:
    """What the indexer writes of a week, and what people do about it."""
    made = Site(elasticsearch)
    alerts = []
    for number in range(1, 31):
        for revision in (1, 2):
            when = ago(days=number / 5, minutes=-revision)
            told: dict[str, Any] = {"first": when, "last": when, "detected": when}
            told |= {"page": revision == 2, "pages": 1, "breach": alert(number // 3 + 1).id}
            told["status"] = Status.OPEN if number % 4 else Status.CLOSED
            told["severity"] = ("low", "medium", "high", "critical")[number % 4]
            alerts.append(alert(number, revision, **told))
    hidden = ago(hours=2)
    told = {"first": hidden, "last": hidden, "detected": hidden, "suppressed_by": ["approved_job"]}
    alerts.append(alert(31, **told))
    assert made.write(alerts) == []
    event = {
        "@timestamp": ago(hours=1),
        "event": {"action": "upload"},
        "file": {"name": "export.xlsx"},
        "outfall": {
            "actor": {"id": "actor-1"},
            "channel": "web",
            "destination": {"name": ["files.example"]},
            "subjects": {"count": 3},
            "bytes": 1000,
        },
    }
    assert made.write_events([read_event(b"e-1", json.dumps(event).encode(), 0, time.time())]) == []
    queue = ElasticsearchQueue(made.client, made.prefix)
    queue.act(queue.find(alert(1).id), Action.ACKNOWLEDGE, by="kim", text=None, at=ago(hours=1))
    return made


def leaves(aggregations: dict[str, Any]) -> Iterator[Any]:
    """Give all numbers that came back, those of each bucket."""
    for found in aggregations.values():
        if not isinstance(found, dict):
            continue
        if "buckets" in found:
            for bucket in found["buckets"]:
                yield bucket["doc_count"]
                yield from leaves(bucket)
        elif "value" in found:
            yield found["value"]


@pytest.mark.parametrize("panel", PANELS, ids=str)
def test_each_panel_has_data(site: Site, panel: Panel) -> None:
    index = panel.view.replace("outfall-", f"{site.prefix}-")
    asked = [index, panel.query, panel.aggregations]
    found = site.client.search(index=index, query=panel.query, aggs=panel.aggregations or None, size=0)
    assert found["hits"]["total"]["value"] > 0, asked
    numbers = [*leaves(found.get("aggregations", {}))]
    assert numbers or not panel.aggregations, asked
    assert all(number is not None for number in numbers), asked
    assert any(numbers) or not panel.aggregations, asked


def test_saved_searches_show_fields_that_are_there(site: Site) -> None:
    searches = [one for one in objects() if one["type"] == "search"]
    assert len(searches) == 3
    for search in searches:
        source = json.loads(search["attributes"]["kibanaSavedObjectMeta"]["searchSourceJSON"])
        (view,) = [reference["id"] for reference in search["references"]]
        index = view.replace("outfall-", f"{site.prefix}-")
        fields = [*search["attributes"]["columns"], "@timestamp"]
        query = {"query_string": {"query": source["query"]["query"] or "*"}}
        (hit, *_) = site.client.search(index=index, query=query, fields=fields, size=5)["hits"]["hits"]
        assert hit["fields"].keys() == set(fields)


def test_everything_that_is_referred_to_is_there() -> None:
    there = {(one["type"], one["id"]) for one in objects()}
    for one in objects():
        for reference in one["references"]:
            assert (reference["type"], reference["id"]) in there, (one["id"], reference)


def test_controls_offer_values(site: Site) -> None:
    count = 0
    for one in objects():
        given = one["attributes"].get("controlGroupInput", {}).get("panelsJSON", "{}")
        for control in json.loads(given).values():
            field = control["explicitInput"]["fieldName"]
            view = control["explicitInput"].get("dataViewId") or "outfall-alerts"
            index = view.replace("outfall-", f"{site.prefix}-")
            aggregations = {"values": {"terms": {"field": field}}}
            found = site.client.search(index=index, aggs=aggregations, size=0)
            assert found["aggregations"]["values"]["buckets"], field
            count += 1
    assert count == 5


def test_the_file_is_made_from_its_sources(tmp_path: Path) -> None:
    subprocess.run([compiler(), DASHBOARDS / "build.py", tmp_path], check=True, timeout=120)
    for name in ("outfall.ndjson", "README.md"):
        there, made = (DASHBOARDS / name).read_bytes(), (tmp_path / name).read_bytes()
        assert made == there, f"{name} is not made from its sources: make dashboards"
