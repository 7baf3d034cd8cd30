"""The settings: what can be said, and that every problem is told at once."""

from __future__ import annotations

import json
import os
import tempfile
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import ValidationError

from streams.errors import ConfigError
from streams.setting_types import Reading, reading
from streams.settings import Settings, load, parse_duration
from streams.source_settings import FileSource, StdinSource, SyslogSource

SECOND = 1_000_000_000

SMALLEST = """
[[sources]]
name = "proxy"
path = "access.log"
format = "squid"
"""

FULL = """
state = "var"
rules = ["rules", "more.yml"]
enrich = "config"
clock_skew = "90s"
batch = 10
severity = "rules/severity.yml"

[alerts]
jsonl = "alerts.jsonl"

[dead_letters]
retention = "2w"

[[sources]]
name = "proxy"
path = "logs/*.log"
format = "squid"
zone = "Europe/London"
lateness = "1h"

[[sources]]
name = "mail"
kind = "syslog"
listen = "tcp://[::1]:5514"
format = "postfix"

[[sources]]
name = "remote"
kind = "syslog"
listen = "udp://0.0.0.0:514"
allow_remote = true

[[sources]]
name = "pipe"
kind = "stdin"
format = "ecs"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("rules", "config", "logs"):
        (tmp_path / name).mkdir()
    for name in ("rules/severity.yml", "more.yml"):
        (tmp_path / name).touch()
    return tmp_path


def read(folder: Path, text: str) -> Settings:
    file = folder / "outfall.toml"
    file.write_text(text)
    return load(file, formats=["auto", "ecs", "squid", "postfix"])


def problems(folder: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read(folder, text)
    return [problem.removeprefix(f"{folder / 'outfall.toml'}: ") for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("500ms", SECOND // 2),
        ("90s", 90 * SECOND),
        ("5m", 300 * SECOND),
        ("24h", 86400 * SECOND),
        ("7d", 7 * 86400 * SECOND),
        ("2w", 14 * 86400 * SECOND),
        ("0s", 0),
    ],
)
def test_durations(text: str, nanoseconds: int) -> None:
    assert parse_duration(text) == nanoseconds


@pytest.mark.parametrize(
    "text", ["", "5", "m", "-1s", "1.5h", "5 m", "5M", "٣s", "99999999d", "9" * 5000 + "s"]
)
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        parse_duration(text)


def test_the_smallest_file_has_documented_defaults(folder: Path) -> None:
    settings = read(folder, SMALLEST)
    (source,) = settings.sources
    assert isinstance(source, FileSource)
    assert source.path == folder / "access.log"
    assert source.lateness == 15 * 60 * SECOND
    assert str(source.zone) == "UTC"
    assert settings.state == folder / "state"
    assert settings.rules == [folder / "rules"]
    assert settings.severity is None
    assert settings.clock_skew == 300 * SECOND
    assert settings.dead_letters.retention == 30 * 86400 * SECOND
    assert settings.alerts.jsonl is None
    assert settings.enrich is None


def test_everything_can_be_set(folder: Path) -> None:
    settings = read(folder, FULL)
    proxy, mail, remote, pipe = settings.sources
    assert isinstance(proxy, FileSource)
    assert proxy.path == folder / "logs" / "*.log"
    assert str(proxy.zone) == "Europe/London"
    assert isinstance(mail, SyslogSource)
    assert (mail.listen.transport, mail.listen.host, mail.listen.port) == ("tcp", "::1", 5514)
    assert isinstance(remote, SyslogSource)
    assert not remote.listen.loopback
    assert remote.format == "auto"
    assert isinstance(pipe, StdinSource)
    assert settings.alerts.jsonl == folder / "alerts.jsonl"
    assert settings.severity == folder / "rules" / "severity.yml"
    assert settings.batch == 10


def test_the_environment_wins(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTFALL_BATCH", "7")
    monkeypatch.setenv("OUTFALL_ALERTS__JSONL", "other.jsonl")
    monkeypatch.setenv("OUTFALL_DEAD_LETTERS__RETENTION", "1h")
    settings = read(folder, FULL)
    assert settings.batch == 7
    assert settings.alerts.jsonl == folder / "other.jsonl"
    assert settings.dead_letters.retention == 3600 * SECOND


@pytest.mark.parametrize("name", ["OUTFALL_BACTH", "OUTFALL_ALERTS__JSNOL", "OUTFALL_SOURCES"])
def test_a_wrong_variable_is_a_problem(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "x")
    assert len(problems(folder, SMALLEST)) == 1


def test_all_problems_are_told_at_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTFALL_NONSENSE", "1")
    found = problems(
        folder,
        """
        stat = "x"
        _env_file = "x"
        rules = ["rules", "none"]
        clock_skew = "soon"
        batch = 0
        severity = "none.yml"
        [alerts]
        jsonl = "none/alerts.jsonl"
        [dead_letters]
        retention = 5
        [[sources]]
        name = "a"
        path = "none/access.log"
        format = "squit"
        colour = "red"
        zone = "Europe/Londn"
        [[sources]]
        name = "a"
        kind = "syslog"
        listen = "udp://192.0.2.1:514"
        [[sources]]
        name = "b"
        kind = "syslog"
        listen = "http://localhost"
        path = "x"
        [[sources]]
        name = "b/c"
        [[sources]]
        kind = "pipe"
        [[sources]]
        name = "d"
        kind = "stdin"
        [[sources]]
        name = "e"
        kind = "stdin"
        """,
    )
    places = sorted(problem.split(": ")[0] for problem in found)
    assert places == sorted(
        [
            "stat",
            "_env_file",
            "rules[1]",
            "clock_skew",
            "batch",
            "severity",
            "alerts.jsonl",
            "environment",
            "dead_letters.retention",
            "sources",
            "sources",
            "sources[0].path",
            "sources[0].format",
            "sources[0].colour",
            "sources[0].zone",
            "sources[1].listen",
            "sources[2].listen",
            "sources[2].path",
            "sources[3].name",
            "sources[3].path",
            "sources[4]",
        ]
    )
    assert "sources[0].lateness" not in places
    assert any("set allow_remote = true" in problem for problem in found)
    assert any("2 of them are named a" in problem for problem in found)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rules = [", "not valid TOML"),
        ("rules = 3\n" + SMALLEST, "rules: "),
        ("", "sources: it is missing"),
        ("sources = []", "sources: "),
        ("sources = 5", "sources: "),
        ("sources = [5]", "sources[0]: "),
        ('[[sources]]\nname = "a"\npath = "logs"', "is a folder"),
    ],
)
def test_what_is_wrong_is_named(folder: Path, text: str, said: str) -> None:
    assert any(said in problem for problem in problems(folder, text))


@pytest.mark.parametrize("state", ["outfall.toml", "outfall.toml/state"])
def test_a_state_folder_that_cannot_be(folder: Path, state: str) -> None:
    [problem] = problems(folder, f'state = "{state}"\n{SMALLEST}')
    assert problem == f"state: {folder / 'outfall.toml'} is not a folder"


def problems_of(folder: Path, text: str) -> list[str]:
    """Read settings as if they stood in a folder."""
    token = reading.set(Reading(folder, None))
    try:
        Settings(**tomllib.loads(text))
    except ValidationError as error:
        return [item["msg"] for item in error.errors()]
    finally:
        reading.reset(token)
    return []


def as_nobody(task: Callable[[], str]) -> str:
    """Do something in a process that may not write everywhere, as root may, and give what it says."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        if os.getuid() == 0:
            os.setgid(65534)
            os.setuid(65534)
        try:
            os.write(writing, task().encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    return said


@pytest.mark.parametrize("inside", ["", "outfall.db"])
def test_what_may_not_be_written(inside: str) -> None:
    with tempfile.TemporaryDirectory() as made:
        place = Path(made) / "state"
        place.mkdir()
        if inside:
            (place / inside).touch()
        (place / inside).chmod(0o555)
        Path(made).chmod(0o755)
        (Path(made) / "access.log").touch()
        (Path(made) / "rules").mkdir()
        said = as_nobody(lambda: "\n".join(problems_of(Path(made), SMALLEST)))
    assert said.endswith("cannot be written by this user")


def test_who_only_looks_into_the_store_needs_no_other_place(folder: Path) -> None:
    file = folder / "outfall.toml"
    file.write_text(
        'rules = ["none"]\nenrich = "none"\nseverity = "none"\n[alerts]\njsonl = "none/alerts.jsonl"\n'
        '[[sources]]\nname = "proxy"\npath = "none/access.log"\n'
    )
    assert load(file, places=False).state == folder / "state"
    with pytest.raises(ConfigError) as caught:
        load(file)
    assert len(caught.value.problems) == 5


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none.toml: there is no such file \(docs/configuration.md shows"):
        load(tmp_path / "none.toml")
    with pytest.raises(ConfigError, match=r"cannot be read: Is a directory$"):
        load(tmp_path)
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path / "binary.toml")


def test_the_schema_describes_every_field() -> None:
    schema = Settings.model_json_schema()
    json.dumps(schema)
    parts = [schema, *schema["$defs"].values()]
    fields = [(name, field) for part in parts for name, field in part.get("properties", {}).items()]
    assert len(fields) > 15
    assert [name for name, field in fields if "description" not in field] == []
