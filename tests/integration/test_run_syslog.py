"""Syslog over real sockets, through the spool."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.normalise.base import MAX_BYTES
from streams.runtime.position import Position
from streams.runtime.received import ReceivedInput, from_stdin, from_syslog
from streams.runtime.spool import SpoolReader, SpoolWriter, parts
from streams.runtime.syslog import SyslogListener
from streams.runtime.syslog_message import record_of
from streams.source_settings import Listen

POSTFIX = "postfix/smtp[4]: ABC: to=<a@example.org>"
RFC5424 = "postfix/smtp 4 - - ABC: to=<a@example.org>"


def is_postfix(line: str) -> bool:
    return " postfix/" in line


class Receiver:
    def __init__(self, folder: Path, transport: str) -> None:
        listen = Listen(transport=transport, host="127.0.0.1", port=0)  # type: ignore[arg-type]  # parametrized
        self.input = ReceivedInput(
            folder, "net", [], clock=time.time_ns, receive=from_syslog(listen, is_postfix)
        )
        assert isinstance(self.input.receiver, SyslogListener)
        self.address = self.input.receiver.address

    def read(self, count: int) -> list[bytes]:
        return read(self.input, count)


def read(source: SpoolReader, count: int) -> list[bytes]:
    """Read so many records, or what comes within five seconds."""
    found: list[bytes] = []
    until = time.monotonic() + 5
    while len(found) < count and time.monotonic() < until:
        for feed in source.poll():
            while record := feed.peek():
                feed.take()
                found.append(record.data)
        time.sleep(0.01)
    return found


@pytest.fixture
def udp(tmp_path: Path) -> Iterator[Receiver]:
    receiver = Receiver(tmp_path, "udp")
    yield receiver
    receiver.input.close()


@pytest.fixture
def tcp(tmp_path: Path) -> Iterator[Receiver]:
    receiver = Receiver(tmp_path, "tcp")
    yield receiver
    receiver.input.close()


@pytest.mark.parametrize(
    ("message", "record"),
    [
        (f"<22>1 2026-03-02T09:00Z mx {RFC5424}", f"2026-03-02T09:00Z mx {POSTFIX}"),
        (f"<22>Mar  2 09:00:00 mx {POSTFIX}", f"Mar  2 09:00:00 mx {POSTFIX}"),
        ("<134>Mar  2 09:00:00 proxy (squid-1): 1772442000.1 5 10.0.0.1", "1772442000.1 5 10.0.0.1"),
        ("<134>1 2026-03-02T09:00:00Z h app - - - \ufeffplain", "plain"),
        ('<134>1 2026-03-02T09:00:00Z h app 1 - [a@1 k="]\\"x"][b] text', "text"),
        ("<134>1 2026-03-02T09:00:00Z h app 1 - -", ""),
        ('<134>{"a": 1}', '{"a": 1}'),
        ("no header at all", "no header at all"),
        ("<134>Mar  2 09:00:00 h app: one\r\ntwo\n", "one two"),
        ("<", "<"),
        ("", ""),
    ],
)  # fmt: skip
def test_the_part_of_a_message_that_the_format_wants(message: str, record: str) -> None:
    assert record_of(message.encode(), is_postfix).decode() == record


def test_bytes_that_are_no_text_pass_through() -> None:
    assert record_of(b"<134>Mar  2 09:00:00 h app: \xff\x00!", is_postfix) == b"\xff\x00!"


def test_unclosed_structured_data_takes_no_time() -> None:
    message = b'<1>1 - h a - - [x k="' + b'a"b' * 300_000
    begun = time.monotonic()
    record_of(message, is_postfix)
    assert time.monotonic() - begun < 2


def test_udp(udp: Receiver) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for number in range(100):
            sender.sendto(f"<14>Mar  2 09:00:00 h app: record {number}".encode(), udp.address)
    assert udp.read(100) == [f"record {number}".encode() for number in range(100)]


def test_tcp_with_a_line_for_each_message(tcp: Receiver) -> None:
    with socket.create_connection(tcp.address) as sender:
        sender.sendall(b"<14>Mar  2 09:00:00 h app: one\n<14>Mar  2 09:00:00 h app: tw")
        assert tcp.read(1) == [b"one"]
        sender.sendall(b"o\n1772442000 bare\nbegun")
        assert tcp.read(2) == [b"two", b"1772442000 bare"]
    assert tcp.read(1) == [b"begun"]


def test_tcp_with_counted_octets_in_any_pieces(tcp: Receiver) -> None:
    messages = [b"<14>Mar  2 09:00:00 h app: one", b"<14>Mar  2 09:00:00 h app: two\nlines"]
    stream = b"".join(b"%d %s" % (len(message), message) for message in messages)
    with socket.create_connection(tcp.address) as sender:
        sender.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in stream:
            sender.sendall(bytes([byte]))
        assert tcp.read(2) == [b"one", b"two lines"]


@pytest.mark.parametrize("frame", [b"%d <14>x", b"<14>%d"])
def test_an_overlong_message_is_cut_and_the_next_one_is_whole(tcp: Receiver, frame: bytes) -> None:
    body = b"x" * (2 * MAX_BYTES)
    counted = frame.startswith(b"%")
    with socket.create_connection(tcp.address) as sender:
        sender.sendall(b"%d <14>%s" % (len(body) + 4, body) if counted else b"<14>" + body + b"\n")
        sender.sendall(b"6 <14>ok" if counted else b"<14>ok\n")
        long, short = tcp.read(2)
    assert len(long) > MAX_BYTES - 100
    assert short == b"ok"


def test_several_connections(tcp: Receiver) -> None:
    senders = [socket.create_connection(tcp.address) for _ in range(20)]
    for number, sender in enumerate(senders):
        sender.sendall(b"<14>record %d\n" % number)
        sender.close()
    assert sorted(tcp.read(20)) == sorted(b"record %d" % number for number in range(20))


def test_what_was_spooled_is_read_after_a_crash(tmp_path: Path) -> None:
    crashed = SpoolWriter(tmp_path, "net", clock=time.time_ns)
    crashed.write(b"one\ntwo\nthr")
    positions: list[Position] = []
    stopped = threading.Event()
    reader = SpoolReader(tmp_path, "net", positions, clock=lambda: 0, closed=stopped)
    (feed,) = reader.poll()
    assert (record := feed.peek())
    assert record.data == b"one"
    feed.take()
    positions.append(feed.position)

    again = SpoolWriter(tmp_path, "net", clock=time.time_ns)
    again.write(b"four\n")
    stopped.set()
    reader = SpoolReader(tmp_path, "net", positions, clock=lambda: 0, closed=stopped)
    assert read(reader, 3) == [b"two", b"thr", b"four"]
    reader.poll()
    assert reader.ended
    assert len(parts(tmp_path, "net")) == 2
    reader.saved()
    assert parts(tmp_path, "net") == []


def test_a_finished_part_that_was_not_yet_deleted_is_not_read_again(tmp_path: Path) -> None:
    SpoolWriter(tmp_path, "net", clock=time.time_ns).write(b"one\n")
    stopped = threading.Event()
    stopped.set()
    reader = SpoolReader(tmp_path, "net", [], clock=lambda: 0, closed=stopped)
    assert read(reader, 1) == [b"one"]
    reader.poll()
    (finished,) = reader.finished()
    reader = SpoolReader(tmp_path, "net", [finished], clock=lambda: 0, closed=stopped)
    assert reader.poll() == []


def test_a_spool_goes_on_in_further_parts(tmp_path: Path) -> None:
    writer = SpoolWriter(tmp_path, "net", clock=time.time_ns, part=100)
    stopped = threading.Event()
    reader = SpoolReader(tmp_path, "net", [], clock=lambda: 0, closed=stopped)
    expected = []
    for number in range(50):
        writer.write(b"the same line\nrecord %d\n" % number)
        expected += [b"the same line", b"record %d" % number]
    assert len(parts(tmp_path, "net")) > 10
    assert read(reader, 100) == expected
    reader.poll()
    reader.saved()
    assert len(parts(tmp_path, "net")) == 1
    assert len({position.stream for position in reader.finished()}) == 10


def test_standard_input_ends(tmp_path: Path) -> None:
    receiving, sending = os.pipe()
    source = ReceivedInput(tmp_path, "pipe", [], clock=time.time_ns, receive=from_stdin(receiving))
    os.write(sending, b"one\ntw")
    assert read(source, 1) == [b"one"]
    assert not source.ended
    os.write(sending, b"o")
    os.close(sending)
    assert read(source, 1) == [b"two"]
    until = time.monotonic() + 5
    while not source.ended and time.monotonic() < until:
        source.poll()
    assert source.ended
    source.close()
    os.close(receiving)


def test_an_address_in_use_is_an_error(tcp: Receiver, tmp_path: Path) -> None:
    listen = Listen(transport="tcp", host="127.0.0.1", port=tcp.address[1])
    with pytest.raises(OSError, match="in use"):
        SyslogListener(listen, SpoolWriter(tmp_path, "other", clock=time.time_ns), is_postfix)


class BlockedSpool(SpoolWriter):
    """A disk that does not keep up."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "net", clock=time.time_ns)
        self.go_on = threading.Event()

    def write(self, data: bytes) -> None:
        self.go_on.wait()
        super().write(data)


def test_what_the_kernel_drops_is_reported(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    spool = BlockedSpool(tmp_path)
    listener = SyslogListener(Listen(transport="udp", host="127.0.0.1", port=0), spool, is_postfix)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for _ in range(20_000):
            sender.sendto(b"x" * 1000, listener.address)
    spool.go_on.set()
    listener.close()
    assert "the kernel dropped" in caplog.text
