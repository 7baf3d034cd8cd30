"""Events in a real Elasticsearch: under which id, in which index, which of several, how they are found."""

from __future__ import annotations

import datetime as dt
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from elasticsearch import Elasticsearch

from episodes import differing, episodes
from services.alert_site import Site
from services.alerts import alert
from services.kafka import Kafka
from services.live_worker import ENVIRONMENT, OUTFALL, LiveFolder
from services.process import free_port, running, wait_for
from streams.alert import Alert
from streams.cli import exits
from streams.errors import RecordError
from streams.runtime.dead_letters import Letter
from streams.sinks import elasticsearch_events
from streams.sinks.elasticsearch_events import StoredEvent, read_event
from streams.sinks.event_link import event_link

pytestmark = pytest.mark.services

CHECKOUT = Path(__file__).resolve().parents[2]
TEMPLATE = CHECKOUT / "deploy" / "elasticsearch" / "component-templates" / "outfall-event.json"
TODAY = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
COUNTING = """
title: An export
name: an_export
id: 5f6a6f4e-0b0f-4f7e-9a51-0a5b1f0c0001
level: high
logsource: {category: case_system, product: outfall}
detection:
  selection: {event.action: export}
  condition: selection
"""


@pytest.fixture
def site(elasticsearch: str) -> Iterator[Site]:
    made = Site(elasticsearch)
    assert elasticsearch_events.prepare(made.client, made.prefix, TODAY.date()) is None
    yield made
    made.client.close()


def event(identity: str, offset: int, **fields: Any) -> StoredEvent:
    document = {"@timestamp": "2026-03-02T10:00:00.123456789Z"} | fields
    return read_event(identity.encode(), json.dumps(document).encode(), offset, TODAY.timestamp())


def found(site: Site, **query: Any) -> list[str]:
    hits = site.client.search(index=f"{site.prefix}-events", query=query)["hits"]["hits"]
    return [hit["_id"] for hit in hits]


def test_the_last_one_of_each_counts_whoever_comes_late(site: Site) -> None:
    site.write_events([event("a", 0, message="first"), event("b", 1)])
    site.write_events([event("a", 7, message="explained")])
    site.write_events([event("a", 0, message="first"), event("a", 7, message="explained")])
    assert site.count("events") == 2
    assert found(site, match={"message": "explained"}) == ["a"]
    assert site.heard.outcomes == {"created": 3, "duplicate": 2}


def test_an_event_lies_by_its_own_day_unless_that_is_far_away(site: Site) -> None:
    times = ["2026-03-01T23:59:59Z", "2026-02-28T00:00:00Z", "1999-01-01T00:00:00Z", "2200-01-01T00:00:00Z"]
    site.write_events([event(str(n), n, **{"@timestamp": moment}) for n, moment in enumerate(times)])
    hits = site.client.search(index=f"{site.prefix}-events")["hits"]["hits"]
    names = {hit["_id"]: hit["_index"].rpartition("-")[2] for hit in hits}
    assert names == {"0": "2026.03.01", "1": "2026.02.28", "2": "2026.03.02", "3": "2026.03.02"}


def test_fields_are_found_and_logs_add_none(site: Site) -> None:
    told: dict[str, Any] = {
        "user": {"name": "alice"},
        "source": {"ip": "10.1.2.3"},
        "file": {"size": 4096},
        "url": {"full": "https://files.example/upload?of=export.xlsx"},
        "email": {"attachments": [{"file": {"name": "a.xlsx", "size": 1}}, {"file": {"name": "b.xlsx"}}]},
        "winlog": {"event_data": {"SubjectUserName": "alice"}},
        "outfall": {"subjects": {"count": 400}, "egress": True},
        "made_up": {"field": 1},
    }
    assert site.write_events([event("a", 0, **told), event("b", 1, user={"name": "bob"})]) == []
    for query in (
        {"term": {"user.name": "alice"}},
        {"term": {"source.ip": "10.1.0.0/16"}},
        {"range": {"file.size": {"gte": 4000}}},
        {"wildcard": {"url.full": "*export.xlsx"}},
        {"term": {"email.attachments.file.name": "b.xlsx"}},
        {"term": {"winlog.event_data.SubjectUserName": "alice"}},
        {"range": {"outfall.subjects.count": {"gt": 100}}},
        {"term": {"outfall.egress": True}},
    ):
        assert found(site, **query) == ["a"], query
    mapping = str(site.client.indices.get_mapping(index=f"{site.prefix}-events"))
    assert "made_up" not in mapping
    kept = site.client.get(index=f"{site.prefix}-events-2026.03.02", id="a")["_source"]
    assert kept["made_up"] == {"field": 1}


def test_a_value_of_another_type_keeps_nothing_else_out(site: Site) -> None:
    odd = {"file": {"size": "large"}, "source": {"ip": "a host"}, "@timestamp": "2026-03-02T10:00:00Z"}
    assert site.write_events([event("a", 0, user={"name": "alice"}, **odd)]) == []
    assert found(site, term={"user.name": "alice"}) == ["a"]
    assert found(site, term={"_ignored": "file.size"}) == ["a"]


def test_what_cannot_be_taken_is_given_back_and_the_rest_is_written(site: Site) -> None:
    odd = event("odd", 1, file="Mrs Jones")
    (refused,) = site.write_events([event("a", 0), odd, event("b", 2)])
    assert refused.item == odd
    assert refused.error == "document_parsing_exception"
    assert "Jones" not in refused.reason
    assert site.count("events") == 2


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (b"a", b"{no event: Mrs Jones"),
        (b"a", b'["Mrs Jones"]'),
        (b"a", b'{"@timestamp": 5, "name": "Mrs Jones"}'),
        (b"a", b'{"@timestamp": "Mrs Jones"}'),
        (b"\xff", b'{"@timestamp": "2026-03-02T10:00:00Z"}'),
        (None, b'{"@timestamp": "2026-03-02T10:00:00Z"}'),
        (b"a", None),
    ],
)
def test_what_is_no_event_is_refused_without_its_content(key: bytes | None, value: bytes | None) -> None:
    with pytest.raises(RecordError, match="not an event") as refused:
        read_event(key, value, 0, TODAY.timestamp())
    assert "Jones" not in str(refused.value)


def test_an_index_that_takes_any_field_is_not_written_to(site: Site) -> None:
    wrong = elasticsearch_events.prepare(site.client, f"{site.prefix}x", TODAY.date())
    assert wrong is not None
    assert f"index {site.prefix}x-events-2026.03.02 was made without our template" in wrong


def test_every_field_of_ours_is_mapped() -> None:
    text = (CHECKOUT / "docs" / "architecture.md").read_text(encoding="utf-8")
    table = text.partition("\n| field | set by |")[2].partition("\n\n")[0]
    names = {
        f"{found[1]}{last}"
        for row in table.splitlines()[2:]
        for found in re.finditer(r"`([^`{]*)(?:\{([^}]*)\})?`", row.split("|")[1])
        for last in (found[2] or "").split(",")
    }
    names -= {"outfall.raw.subject", "outfall.raw.record"}  # which never get here
    node = json.loads(TEMPLATE.read_text(encoding="utf-8"))["template"]["mappings"]
    mapped = set(leaves(node["properties"]))
    assert len(names) > 60
    assert names <= mapped, names - mapped


def leaves(properties: dict[str, Any], prefix: str = "") -> Iterator[str]:
    for name, node in properties.items():
        if "properties" in node:
            yield from leaves(node["properties"], f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def test_a_link_names_what_it_leads_to_whatever_the_ids_are() -> None:
    one = alert(1)
    odd = """it's "5" \\ 6!&#%+é"""
    several = [one.evidence[0].model_copy(update={"id": each}) for each in ("e-1", odd)]
    link = event_link("https://kibana.example", one.model_copy(update={"evidence": several}))
    assert link.startswith("https://kibana.example/app/discover#/?_g=(time:(from:'2026-03-02T10:00:00Z'")
    assert not set(link) & set(' "\\&+é') - {"&"}
    assert link.count("&") == 1
    (query,) = re.findall(r"query:'((?:[^'!]|!.)*)'", unquote(link))
    kql = re.sub(r"!(.)", r"\1", query)
    ids = [re.sub(r"\\(.)", r"\1", each) for each in re.findall(r'"((?:[^"\\]|\\.)*)"', kql)]
    assert kql.startswith("_id: (")
    assert ids == ["e-1", odd]


def test_from_an_alert_to_its_events(elasticsearch: str, kafka: Kafka, tmp_path: Path) -> None:
    prefix = f"t{time.time_ns():x}"
    more = f"""
[elasticsearch]
hosts = ["{elasticsearch}"]
prefix = "{prefix}"
kibana = "http://127.0.0.1:5601"
listen = ""
events_listen = "127.0.0.1:{free_port()}"
"""
    live = LiveFolder(tmp_path, kafka.bootstrap, prefix=prefix, more=more)
    live.rules(COUNTING)
    refused = live.outfall("index", "--events")
    assert refused.returncode == exits.USAGE
    assert "kafka.events is off" in refused.stderr
    live.events = True
    for command in (("topics", "create"), ("elasticsearch", "setup")):
        done = live.outfall(*command)
        assert done.returncode == exits.DONE, done.stderr
    exports = [
        {
            "@timestamp": f"2026-03-02T10:00:0{number}Z",
            "event": {"id": f"x-{number}", "action": action},
            "outfall": {"channel": "case_system"},
            "user": {"name": "alice"},
        }
        for number, action in enumerate(("export", "open", "export"))
    ]
    odd = exports[0] | {"event": {"id": "odd", "action": "open"}, "process": "Mrs Jones"}
    config = live.config()
    index = [OUTFALL, "index", "--config", config]
    with (
        live.worker() as worker,
        running(index, output=tmp_path / "index", environment=ENVIRONMENT),
        running([*index, "--events"], output=tmp_path / "index-events", environment=ENVIRONMENT),
        Elasticsearch(elasticsearch) as client,
    ):
        worker.wait_ready()
        live.send([*exports, odd])

        def whole() -> Alert | None:
            client.indices.refresh(index=f"{prefix}-*")
            sources = [hit["_source"] for hit in client.search(index=f"{prefix}-alerts")["hits"]["hits"]]
            alerts = [Alert.model_validate(source["outfall"]["alert"]) for source in sources]
            return next((each for each in alerts if len(each.evidence) == 2), None)

        def events() -> bool:
            client.indices.refresh(index=f"{prefix}-*")
            return int(client.count(index=f"{prefix}-events-*")["count"]) >= 3

        alert_of_both = wait_for("the alert of both exports", whole)
        wait_for("the events", events)
        wait_for("the odd one to be dead", lambda: live.records("dead_letters") or None)
        assert alert_of_both is not None
        ids = [each.id for each in alert_of_both.evidence]
        found = client.search(index=f"{prefix}-alerts", query={"ids": {"values": [alert_of_both.id]}})
        (hit,) = found["hits"]["hits"]
        assert f'_id: ("{ids[0]}" or "{ids[1]}")' in unquote(hit["_source"]["event"]["url"])
        hits = client.search(index=f"{prefix}-events", query={"ids": {"values": ids}})["hits"]["hits"]
        assert {hit["_source"]["event"]["id"] for hit in hits} == {"x-0", "x-2"}
        assert {hit["_source"]["outfall"]["actor"]["id"] for hit in hits} == {"alice"}
        (record,) = live.records("dead_letters")
        letter = Letter.read(record.value, record.headers)
        assert (letter.origin.source, letter.stage) == ("events", "index-events")
        assert "Jones" not in letter.reason + (tmp_path / "index-events").read_text()
        backtest(live, alert_of_both, tmp_path / "preview.jsonl")
        replayed = live.outfall("dead-letters", "replay")
        assert replayed.returncode == exits.DONE, replayed.stderr
        wait_for("it to be dead once more", lambda: len(live.records("dead_letters")) == 3 or None)
        again = [one for one in live.records("events") if one.key == letter.origin.stream.encode()]
        assert len(again) == 2
        assert len({one.partition for one in again}) == 1


def backtest(live: LiveFolder, raised: Alert, preview: Path) -> None:
    """See that the rules, run on the events again, give the alert that was raised."""
    done = live.outfall("rules", "backtest", "--events", "--alerts", str(preview))
    assert done.returncode == exits.DONE, done.stderr
    alerts = [Alert.model_validate_json(line) for line in preview.read_text(encoding="utf-8").splitlines()]
    assert [*differing("", episodes(alerts), episodes([raised]))] == []
    assert json.loads(done.stdout.splitlines()[-1])["records"] == 3
    later = live.outfall("rules", "backtest", "--events", "--since", "2026-03-02T10:00:01Z")
    assert json.loads(later.stdout.splitlines()[-1])["records"] == 2
    wrong = live.outfall("rules", "backtest", "--events", "app=log")
    assert (wrong.returncode, "does not go with SOURCE=FILE" in wrong.stderr) == (exits.USAGE, True)
