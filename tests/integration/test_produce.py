"""`outfall produce`: what lies in the topics afterwards, in which order, and what it says when it cannot."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from services.kafka import Kafka
from services.outfall import ENVIRONMENT, OUTFALL, normalise
from services.process import wait_for
from services.topics import make_topics, records
from streams.event import Origin, RawRecord
from streams.normalise import FORMATS
from streams.normalise import normalise as read_record
from streams.normalise.base import Context
from streams.normalise.time import parse_time
from streams.runtime.headers import ORIGIN, PROGRESS, find, read_number, read_origin
from streams.simulate.sources import SOURCES

pytestmark = pytest.mark.services

PARTITIONS = 3


def event(minute: int, **fields: Any) -> str:
    return json.dumps({"@timestamp": f"2026-03-02T09:{minute:02d}:00Z", "event": {"action": "x"}} | fields)


class Site:
    """A folder with logs and settings, whose topics are this test's own."""

    def __init__(self, folder: Path, cluster: Kafka) -> None:
        self.folder, self.cluster = folder, cluster
        self.prefix = f"produce-{uuid4()}"

    def topic(self, source: str) -> str:
        return f"{self.prefix}.raw.{source}"

    def configure(self, **formats: str) -> None:
        text = f'rules = ["rules"]\n[kafka]\nbootstrap = ["{self.cluster.bootstrap}"]\n'
        for name, format_ in formats.items():
            text += f'[[sources]]\nname = "{name}"\nkind = "kafka"\nformat = "{format_}"\n'
            text += f'topic = "{self.topic(name)}"\n'
        (self.folder / "outfall.toml").write_text(text)

    def make(self, *sources: str, **settings: str) -> None:
        make_topics(self.cluster, {self.topic(name): PARTITIONS for name in sources}, settings)

    def log(self, name: str, *lines: str) -> Path:
        path = self.folder / name
        path.write_text("".join(f"{line}\n" for line in lines))
        return path

    def command(self, *arguments: object) -> list[str]:
        return [str(part) for part in (OUTFALL, "produce", *arguments)]

    def produce(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def start(self, *arguments: object) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command(*arguments),
            cwd=self.folder,
            env=ENVIRONMENT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def records(self, source: str) -> list[Any]:
        return [each for each in records(self.cluster, self.topic(source)) if progress(each) is None]

    def marks(self, source: str) -> dict[int, list[int]]:
        """How far time was said to have come, for each partition."""
        found: dict[int, list[int]] = {}
        for each in records(self.cluster, self.topic(source)):
            if (time := progress(each)) is not None:
                found.setdefault(each.partition, []).append(time)
        return found


def progress(record: Any) -> int | None:
    value = find(record.headers, PROGRESS)
    return None if value is None else read_number(value, PROGRESS)


def origin(record: Any, source: str) -> Origin:
    value = find(record.headers, ORIGIN)
    assert value is not None
    return read_origin(value, source)


@pytest.fixture
def site(tmp_path: Path, kafka: Kafka) -> Site:
    return Site(tmp_path, kafka)


def test_each_line_arrives_as_it_is_and_says_where_it_stood(site: Site) -> None:
    site.configure(proxy="proxysg", gateway="ecs")
    site.make("proxy", "gateway")
    fields = "#Fields: date time c-ip cs-host"
    proxy = site.log("proxy.log", "#Software: SGOS", fields, "2026-03-02 09:02:00 10.0.0.1 a.example", "")
    gateway = site.log("gateway.jsonl", event(1), "{", event(3))
    done = site.produce(f"proxy={proxy}", f"gateway={gateway}", "--let-pass", "1h")
    assert done.returncode == 0, done.stderr
    summary = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(said["source"], said["records"], said["unreadable"]) for said in summary] == [
        ("proxy", 4, 0),
        ("gateway", 3, 1),
    ]
    assert summary[0]["bytes"] == len(proxy.read_bytes()) - 4
    assert "gateway: 1 records are not of the source's format" in done.stderr
    for source, path in (("proxy", proxy), ("gateway", gateway)):
        found = site.records(source)
        assert [each.value for each in found] == path.read_bytes().splitlines()
        assert len({each.partition for each in found}) == 1
        origins = [origin(each, source) for each in found]
        assert {each.key.decode() for each in found} == {each.stream for each in origins}
        assert [each.line for each in origins] == list(range(len(found)))
        assert path.read_bytes()[origins[2].offset :].startswith(found[2].value)
        begun, ended = parse_time("2026-03-02T09:01:00Z"), parse_time("2026-03-02T10:03:00Z")
        assert site.marks(source) == {number: [begun, ended] for number in range(PARTITIONS)}


def test_events_have_the_ids_that_other_commands_give_them(site: Site) -> None:
    site.configure(**{name: source.format for name, source in SOURCES.items()})
    site.make(*SOURCES)
    written = subprocess.run(
        [OUTFALL, "simulate", "--out", site.folder / "council", "--people", "40"], check=True, timeout=60
    )
    assert written.returncode == 0
    done = site.produce("--simulate", "--people", "40")
    assert done.returncode == 0, done.stderr
    for name, source in SOURCES.items():
        log = (site.folder / "council" / "logs" / source.file).read_bytes()
        found = site.records(name)
        assert [each.value for each in found] == log.splitlines()
    # `normalise` calls what it reads from standard input so.
    log = (site.folder / "council" / "logs" / "proxy.log").read_bytes()
    told, _ = normalise("squid_extended", log)
    context = Context(received=0)
    ids = [
        read_record(RawRecord(each.value, origin(each, "stdin")), FORMATS["squid_extended"], context).id
        for each in site.records("proxy")
    ]
    assert ids == [document and document["event"]["id"] for document in told]


def test_several_files_of_a_source_are_merged_and_told_apart(site: Site) -> None:
    site.configure(gateway="ecs")
    site.make("gateway")
    one = site.log("one", event(0), event(1, n=1), event(4, n=4))
    two = site.log("two", event(0), event(2, n=2), event(3, n=3))
    done = site.produce(f"gateway={one}", f"gateway={two}", "--rate", "100")
    assert done.returncode == 0, done.stderr
    found = site.records("gateway")
    streams = [origin(each, "gateway").stream for each in found]
    assert {f"{stream}.1" for stream in streams} & set(streams)
    sent = sorted(found, key=lambda each: each.timestamp)  # milliseconds, and 10 lie between
    assert [json.loads(each.value).get("n", 0) for each in sent] == [0, 0, 1, 2, 3, 4]


def test_a_source_without_records_hears_how_time_goes_on(site: Site) -> None:
    site.configure(gateway="ecs", quiet="ecs")
    site.make("gateway", "quiet")
    log = site.log("log", *(event(number // 100) for number in range(5200)))
    assert site.produce(f"gateway={log}", f"quiet={site.log('empty')}").returncode == 0
    times = [parse_time(f"2026-03-02T09:{minute:02d}:00Z") for minute in (0, 49, 51)]
    assert site.marks("quiet") == dict.fromkeys(range(PARTITIONS), times)
    behind = [each for each in records(site.cluster, site.topic("gateway")) if each.value or progress(each)]
    (partition,) = {each.partition for each in behind if each.value}
    told = [progress(each) for each in behind if each.partition == partition]
    assert told.index(times[1]) == 5001, "after what was sent before, and before the rest"


def test_an_event_ahead_of_the_clock_moves_no_time(site: Site) -> None:
    site.configure(gateway="ecs")
    site.make("gateway")
    log = site.log("log", event(1), event(2).replace("2026", "2226"))
    assert site.produce(f"gateway={log}").returncode == 0
    assert len(site.records("gateway")) == 2
    time = parse_time("2026-03-02T09:01:00Z")
    assert all(set(times) == {time} for times in site.marks("gateway").values())


def test_what_comes_through_a_pipe_is_sent_at_once(site: Site) -> None:
    site.configure(gateway="ecs")
    site.make("gateway")
    with site.start("gateway=-") as process:
        assert process.stdin
        process.stdin.write(f"{event(1)}\n")
        process.stdin.flush()
        wait_for("the record", lambda: site.records("gateway"))
        process.stdin.close()
        assert process.wait(30) == 0
        assert process.stdout
        assert json.loads(process.stdout.read())["records"] == 1
    assert all(len(times) == 2 for times in site.marks("gateway").values())


@pytest.mark.parametrize("source", ["gateway=-", "gateway=log"])
def test_a_signal_stops_it_and_what_was_sent_is_safe(site: Site, source: str) -> None:
    site.configure(gateway="ecs")
    site.make("gateway")
    site.log("log", *(event(number) for number in range(50)))
    with site.start(source, "--speed", "120", "--let-pass", "1h") as process:
        assert process.stdin
        process.stdin.write(f"{event(0)}\n{event(1)}\n")
        process.stdin.flush()
        wait_for("two records", lambda: len(site.records("gateway")) > 1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert 2 <= len(site.records("gateway")) < 50
    newest = max(json.loads(each.value)["@timestamp"] for each in site.records("gateway"))
    assert all(times[-1] == parse_time(newest) for times in site.marks("gateway").values())


def test_a_line_that_its_topic_does_not_take_is_told_and_the_others_are_sent(site: Site) -> None:
    site.configure(gateway="ecs")
    site.make("gateway", **{"max.message.bytes": "3000"})
    large, tight = uuid4().hex * 100, "a" * 100_000
    noise = "".join(uuid4().hex for _ in range(200))
    log = site.log("log", event(1), event(2, large=noise), event(3, tight=tight), event(4, large=large))
    done = site.produce(f"gateway={log}")
    assert done.returncode == 3, done.stderr
    assert "gateway: line 1 was not sent" in done.stderr
    assert noise[:32] not in done.stderr
    said = json.loads(done.stdout)
    assert (said["records"], said["too_large"]) == (3, 1)
    assert [origin(each, "gateway").line for each in site.records("gateway")] == [0, 2, 3]


def test_all_that_is_wrong_is_told_at_once(site: Site) -> None:
    site.configure(gateway="ecs")
    log = site.log("log", event(1))
    files = (f"nobody={log}", "gateway=nowhere", "what", f"gateway={log}")
    done = site.produce(*files, "--rate", "0", "--days", "2")
    assert done.returncode == 2
    for said in ("no source nobody", "no such file", "SOURCE=FILE", "given 2 times", "--rate", "--days"):
        assert said in done.stderr


def test_topics_that_are_not_there_are_named(site: Site) -> None:
    site.configure(gateway="ecs", other="ecs")
    log = site.log("log", event(1))
    done = site.produce(f"gateway={log}", "other=/dev/null")
    assert done.returncode == 2
    assert site.topic("gateway") in done.stderr
    assert site.topic("other") in done.stderr
    assert "outfall topics create" in done.stderr
