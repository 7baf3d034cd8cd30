"""`outfall normalise` and `outfall formats`, as a person or a pipe starts them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import orjson
import pytest

OUTFALL = str(Path(sys.executable).parent / "outfall")
GOOD = b"1772445600.123    212 10.20.1.15 TCP_MISS/200 48 GET http://a.example/ jane HIER_NONE/- -"
MEGABYTE = 1 << 20


def outfall(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([OUTFALL, *arguments], input=stdin, capture_output=True, timeout=60, check=False)


def test_each_line_gives_one_line() -> None:
    run = outfall("normalise", "--format", "squid", "-", stdin=GOOD + b"\n\nZaphod\r\n" + GOOD)
    first, blank, bad, last = map(orjson.loads, run.stdout.splitlines())
    assert first["url"]["domain"] == last["url"]["domain"] == "a.example"
    assert first["event"]["id"] != last["event"]["id"]
    assert (blank, bad) == (None, None)
    assert b"line 1: ignored: a blank line" in run.stderr
    assert b"line 2: not a squid access line" in run.stderr
    assert b"Zaphod" not in run.stderr
    assert run.returncode == 3


def test_what_is_ignored_is_not_rejected(tmp_path: Path) -> None:
    log = tmp_path / "proxy.log"
    log.write_bytes(b"#Software: SGOS 7.3\n\n" + GOOD + b"\n")
    run = outfall("normalise", str(log))
    assert [orjson.loads(line) is None for line in run.stdout.splitlines()] == [True, True, False]
    assert run.returncode == 0


def test_an_empty_input_gives_nothing() -> None:
    run = outfall("normalise", "--format", "ecs")
    assert (run.stdout, run.stderr, run.returncode) == (b"", b"", 0)


def test_the_zone_completes_times() -> None:
    line = b"Jul  2 12:00:00 mx postfix/qmgr[1]: 4ABCDEF012: removed"
    run = outfall("normalise", "--format", "postfix", "--zone", "Europe/London", stdin=line)
    assert orjson.loads(run.stdout)["@timestamp"].endswith("-07-02T11:00:00Z")


@pytest.mark.parametrize(
    "arguments",
    [("--format", "nonsense"), ("--zone", "Nowhere/Land"), ("--zone", "../../etc"), ("/nowhere/log",)],
)
def test_wrong_use_is_status_2(arguments: tuple[str, ...]) -> None:
    run = outfall("normalise", *arguments)
    assert run.returncode == 2
    assert run.stderr
    assert not run.stdout


def test_a_line_of_50_megabytes_is_refused_in_bounded_memory(tmp_path: Path) -> None:
    log = tmp_path / "long.log"
    with log.open("wb") as file:
        file.write(GOOD + b"\n")
        file.writelines(b"a" * MEGABYTE for _ in range(50))
        file.write(b"\n" + GOOD + b"\n")
    # A small process in between: a child starts out with as much memory on its account as its parent has.
    watch = (
        "import resource, subprocess, sys; status = subprocess.call(sys.argv[1:]);"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr); sys.exit(status)"
    )
    command = [sys.executable, "-c", watch, OUTFALL, "normalise", "--format", "squid", str(log)]
    run = subprocess.run(command, capture_output=True, timeout=120, check=False)
    events = [orjson.loads(line) for line in run.stdout.splitlines()]
    assert [event is None for event in events] == [False, True, False]
    refusal, kilobytes = run.stderr.splitlines()
    assert refusal.startswith(b"line 1: longer than 1048576 bytes")
    assert run.returncode == 3
    assert int(kilobytes) < 200 * 1024


def test_a_reader_that_has_read_enough_is_no_error(tmp_path: Path) -> None:
    log = tmp_path / "many.log"
    log.write_bytes((GOOD + b"\n") * 20_000)
    command = [OUTFALL, "normalise", "--format", "squid", str(log)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline().startswith(b"{")
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=60) == 0


def test_formats_are_listed() -> None:
    run = outfall("formats")
    names = [orjson.loads(line)["name"] for line in run.stdout.splitlines()]
    assert {"squid", "squid_extended", "proxysg", "zscaler_web", "postfix", "ecs", "json", "auto"} <= set(
        names
    )
    assert all(orjson.loads(line)["summary"] for line in run.stdout.splitlines())
