"""The log: what its lines look like, how many there are, and what must never be in them."""

from __future__ import annotations

import io
import json
import logging
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from services.terminal import plain, shown
from streams import log
from streams.errors import RecordError
from streams.log.limit import LimitedHandler
from streams.log.render import formatter
from streams.setting_types import parse_duration

JANE = "Jane Smith"


class Log:
    """A log that is read as it is written; `now` is its clock."""

    def __init__(self, name: str) -> None:
        self.now = 0.0
        self.stream = io.StringIO()
        self.handler = LimitedHandler(self.stream, lambda: self.now)
        self.handler.setFormatter(formatter("json", terminal=False))
        self.library = logging.getLogger(name)
        self.ours = log.get(name)

    def lines(self) -> list[dict[str, Any]]:
        """Give the lines since the last call."""
        written = [json.loads(line) for line in self.stream.getvalue().splitlines()]
        self.stream.truncate(0)
        self.stream.seek(0)
        return written


@pytest.fixture
def made(request: pytest.FixtureRequest) -> Iterator[Log]:
    made = Log(request.node.name)
    made.library.addHandler(made.handler)
    made.library.setLevel(logging.INFO)
    made.library.propagate = False
    yield made
    made.library.removeHandler(made.handler)


def test_a_line_says_when_how_grave_whence_and_what(made: Log) -> None:
    made.ours.info("partitions assigned", topic="outfall.matches", partition=3, seconds=0.5, records=None)
    (line,) = made.lines()
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.pop("time"))
    assert list(line.items()) == [
        ("level", "info"),
        ("logger", made.library.name),
        ("event", "partitions assigned"),
        ("topic", "outfall.matches"),
        ("partition", 3),
        ("seconds", 0.5),
        ("records", None),
    ]


def test_a_library_is_heard_as_well(made: Log) -> None:
    made.library.warning("Heartbeat failed for %s: %s\nfuture: <Task>", "group", "no answer")
    made.library.info("%(topic)s\x1b[31m", {"topic": "outfall.matches"})
    wrong = logging.LogRecord("a.library", logging.INFO, "", 0, "%d partitions", ("many",), None)
    made.handler.handle(wrong)  # straight, since pytest's own handlers do not bear it
    made.library.debug("every record, whole")
    assert [line["event"] for line in made.lines()] == [
        "Heartbeat failed for group: no answer",
        "outfall.matches [31m",
        "%d partitions",
    ]


def test_nothing_is_so_long_or_odd_that_it_cannot_be_written(made: Log) -> None:
    made.ours.info("odd", path=Path("rules/a.yml"), reason="\ud800" + "x" * 10_000, count=2**80)
    made.ours.info("odd", partitions=["a/1"] * 10_000, brokers={"b": 1})
    made.library.info("y" * 10_000)
    odd, many, long = made.lines()
    assert (odd["path"], len(odd["reason"]), odd["count"]) == ("rules/a.yml", 501, 2**80)
    assert (len(many["partitions"]), many["brokers"]) == (500, "(dict)")
    assert len(long["event"]) == 501


def raised(call: Callable[[], Any]) -> BaseException:
    try:
        call()
    except Exception as error:  # noqa: BLE001 - whatever it is
        return error
    raise AssertionError("nothing was raised")


def fail_in_our_code() -> None:
    parse_duration(JANE)


def fail_with_a_cause() -> None:
    try:
        fail_in_our_code()
    except ValueError as error:
        raise OSError(111, "Connect call failed") from error


def test_what_failed_is_told_without_what_a_record_says(made: Log) -> None:
    made.ours.error("a batch failed", exc_info=raised(lambda: int(JANE) if parse_duration(JANE) else 0))
    made.library.error("Crashed reason=%r", raised(fail_in_our_code), exc_info=raised(fail_in_our_code))
    made.library.error("Crashed reason=%r", ValueError(JANE))
    made.ours.error("a batch failed", exc_info=raised(fail_with_a_cause))
    text = made.stream.getvalue()
    first, second, third, fourth = made.lines()
    assert "duration" not in text.replace("parse_duration", "")
    assert JANE not in text
    assert first["error"] == "ValueError"
    assert "error_text" not in first
    assert first["traceback"].splitlines()[-1].startswith("streams/setting_types.py:")
    assert second["event"] == third["event"] == "Crashed reason='ValueError'"
    assert fourth["error_text"] == "[Errno 111] Connect call failed"
    assert "after ValueError\n" in fourth["traceback"]


def test_what_is_known_to_be_harmless_is_told(made: Log) -> None:
    made.ours.error("refused", exc_info=raised(lambda: _raise(RecordError("byte 7 is no UTF-8"))))
    made.library.error("x: %s", ConnectionRefusedError(111, "Connect call failed"))
    made.library.error("lost", exc_info=raised(lambda: json.loads("{")))
    refused, connection, library = made.lines()
    assert refused["error_text"] == "byte 7 is no UTF-8"
    assert connection["event"] == "x: ConnectionRefusedError: [Errno 111] Connect call failed"
    assert library["error_text"].startswith("Expecting property name"), "it never went through our code"


def _raise(error: Exception) -> None:
    raise error


def test_a_group_and_a_deep_recursion_are_bounded(made: Log) -> None:
    def deep() -> None:
        deep()

    errors = [raised(deep) for _ in range(20)]
    made.ours.error("failed", exc_info=raised(lambda: _raise(ExceptionGroup(JANE, errors))))
    (line,) = made.lines()
    assert line["traceback"].count("after RecursionError") == 4
    assert len(line["traceback"].splitlines()) < 250


def test_a_field_that_is_not_listed_is_not_shown(made: Log) -> None:
    made.ours.info("read", user=JANE, topic="raw.proxy")
    (line,) = made.lines()
    assert (line["user"], line["topic"]) == ("(not shown: no field of the log)", "raw.proxy")


def test_a_flood_becomes_a_few_lines_and_its_number(made: Log) -> None:
    for number in range(2500):
        made.library.error("Unable connect to node with id %s: %s", number, OSError(111, "refused"))
        made.library.warning(f"Topic {number} at 0x{number:x} is not available")
        made.now += 0.01
    lines = made.lines()
    assert len(lines) == 10
    made.now += 60
    made.ours.info("the broker is back")
    connect, topic, back = made.lines()
    assert connect["event"] == topic["event"] == "more such lines were suppressed"
    assert (connect["level"], connect["suppressed"]) == ("error", 2495)
    assert connect["line"] == "Unable connect to node with id %s: %s"
    assert (topic["line"], topic["suppressed"]) == ("Topic 0 at 0x0 is not available", 2495)
    assert back["event"] == "the broker is back"
    made.library.error("Unable connect to node with id %s: %s", 1, "refused")
    assert len(made.lines()) == 1, "a new window has begun"


def test_lines_of_ours_from_different_places_are_different_lines(made: Log) -> None:
    for partition in range(8):
        for batch in range(7):
            made.ours.warning("a batch took long", topic="matches", partition=partition, seconds=batch)
    assert len(made.lines()) == 8 * 5
    made.handler.close()
    told = [(line["topic"], line["partition"], line["suppressed"]) for line in made.lines()]
    assert told == [("matches", partition, 2) for partition in range(8)]


def test_floods_of_ever_different_lines_do_not_fill_the_memory(made: Log) -> None:
    for number in range(5000):
        made.library.error("".join(chr(97 + int(digit)) for digit in str(number)))
    assert len(made.lines()) == 1005
    made.now += 60
    made.library.error("after")
    told, after = made.lines()
    assert (told["line"], told["suppressed"], after["event"]) == ("lines of many kinds", 3995, "after")


PROGRAM = f"""
import logging, sys, threading, warnings
from streams import log
log.configure(sys.argv[1], "debug")
log.get("outfall.test").info("started", listen="127.0.0.1:9464")
logging.getLogger("aiokafka.conn").debug("a record: {JANE}")
logging.getLogger("faust").info("[^Worker]: Starting...")
for number in range(7):
    logging.getLogger("mode").warning("%s", number)
warnings.warn("old")
def fail():
    from streams.setting_types import parse_duration
    parse_duration("{JANE}")
thread = threading.Thread(target=fail)
thread.start()
thread.join()
fail()
"""


def test_all_that_a_process_says_goes_one_way() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "auto"], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout) == (1, "")
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    events = [line["event"] for line in lines]
    assert events[0] == "started"
    assert events[1:6] == ["0", "1", "2", "3", "4"]
    assert "UserWarning: old" in events[6]
    assert events[7:] == [
        "a thread ended by an error",
        "the program ends by an error",
        "more such lines were suppressed",
    ]
    assert lines[-1]["suppressed"] == 2
    assert JANE not in done.stderr


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="did not run: there are no terminals here")
def test_on_a_terminal_it_is_text(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(f"import sys\nsys.stderr = sys.stdout\n{PROGRAM}", encoding="utf-8")
    _, text = shown([sys.executable, program, "auto"])
    first = plain(text).splitlines()[0]
    assert re.fullmatch(r"20\S+Z \[info +\] started +\[outfall\.test\] listen=127\.0\.0\.1:9464", first)
    assert re.search(r"error=ValueError\r?\n    \S+:\d+ ", plain(text)), "the traceback stands below its line"
    assert JANE not in text
