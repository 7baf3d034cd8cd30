"""The settings about Kafka: what is refused, and which topics they lead to."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.errors import ConfigError, RecordError
from streams.event import Origin
from streams.runtime import headers
from streams.runtime.build import misplaced
from streams.runtime.topics import Topics
from streams.settings import Settings, load

SOURCES = """
[[sources]]
name = "proxy"
kind = "kafka"
topic = "raw.proxy"
partitions = 3
"""


def settings(tmp_path: Path, text: str) -> Settings:
    file = tmp_path / "outfall.toml"
    (tmp_path / "rules").mkdir(exist_ok=True)
    (tmp_path / "secret").write_text("hunter2\n", encoding="utf-8")
    file.write_text(text + SOURCES, encoding="utf-8")
    return load(file)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[kafka]\nbootstrap = ["broker"]', "kafka.bootstrap[0]: write HOST:PORT"),
        (
            '[kafka.security]\nprotocol = "SASL_SSL"',
            "kafka.security: SASL_SSL needs username and password_file",
        ),
        ('[kafka.security]\nusername = "outfall"', "kafka.security: username is for SASL"),
        ('[kafka.security]\nprotocol = "SSL"\ncertificate = "secret"', "certificate and key belong together"),
        ('[kafka.security]\nca = "secret"', "ca and certificate are for TLS"),
        ('[kafka]\nprefix = "a/b"', "kafka.prefix"),
        (
            '[[sources]]\nname = "again"\nkind = "kafka"\ntopic = "raw.proxy"',
            "2 of them read topic raw.proxy",
        ),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        settings(tmp_path, text)
    assert any(problem in told for told in caught.value.problems), caught.value.problems


def test_each_shell_reads_its_own_sources(tmp_path: Path) -> None:
    read = settings(tmp_path, "")
    assert misplaced(read, live=True) == []
    assert misplaced(read, live=False) == [
        "source proxy: kind kafka is read by `outfall worker`, not by `outfall run`"
    ]


def test_a_raw_topic_is_none_of_ours(tmp_path: Path) -> None:
    source = '[[sources]]\nname = "a"\nkind = "kafka"\ntopic = "x.alerts"'
    read = settings(tmp_path, f'[kafka]\nprefix = "x"\n{source}')
    assert [problem for problem in misplaced(read, live=True) if "source a: topic x.alerts" in problem]


def test_every_topic_that_is_read_has_a_state_of_as_many_partitions(tmp_path: Path) -> None:
    topics = Topics(settings(tmp_path, '[kafka]\nprefix = "council"\npartitions = 5'))
    made = {topic.name: topic for topic in topics}
    assert topics.inputs == {"raw.proxy": 3, "council.content": 1, "council.matches": 5}
    for topic, partitions in topics.inputs.items():
        state = made[topics.state(topic)]
        assert state.partitions == partitions == made[topic].partitions
        assert state.config["cleanup.policy"] == "compact"
    assert [topic.name for topic in topics if not topic.ours] == ["raw.proxy"]


def test_an_origin_is_read_as_it_was_written() -> None:
    origin = Origin("proxy", "9f" * 16, 2**40, 7)
    name, value = headers.origin_header(origin)
    assert name == headers.ORIGIN
    assert headers.read_origin(value, "proxy") == origin


@pytest.mark.parametrize(
    "value", [b"", b"{}", b"[1,2,3]", b'["a",-1,0]', b'["a",true,0]', b'["a",1]', b"\xff"]
)
def test_a_wrong_origin_is_refused(value: bytes) -> None:
    with pytest.raises(RecordError, match=headers.ORIGIN):
        headers.read_origin(value, "proxy")


@pytest.mark.parametrize("value", [b"", b"1.5", b"9" * 20, b"-", "²".encode(), str(2**63).encode()])
def test_a_wrong_number_is_refused(value: bytes) -> None:
    with pytest.raises(RecordError, match=headers.ATTEMPTS):
        headers.read_number(value, headers.ATTEMPTS)
    assert headers.read_number(b"-17", headers.ATTEMPTS) == -17
