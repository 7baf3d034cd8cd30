"""Syslog over UDP (RFC 5426) and TCP (RFC 6587): a thread that appends what comes to a spool.

Over UDP the kernel drops what comes while its buffer is full; it counts that, and every rise is reported.
Over TCP the sender waits while too much is unread.
"""

from __future__ import annotations

import logging
import selectors
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable

from streams.runtime.framing import Framing
from streams.runtime.spool import SpoolWriter
from streams.runtime.syslog_message import record_of
from streams.source_settings import Listen

log = logging.getLogger(__name__)

_SO_MEMINFO = 55
"""Linux 4.12 and later: a socket's counters (socket(7)); Python has no name for it."""
_DROPS = struct.Struct("=32xI")
"""The ninth of these counters, SK_MEMINFO_DROPS: datagrams that found no room in the buffer."""
_RECEIVE_BUFFER = 8 << 20
_CONNECTIONS = 256
_TICK = 0.2


class SyslogListener:
    """Listens at one address from the moment it is made; `close` stops it.

    `recognises` is that of the source's format. Raises OSError where the address cannot be had.
    """

    def __init__(self, listen: Listen, spool: SpoolWriter, recognises: Callable[[str], bool]) -> None:
        self._spool = spool
        self._recognises = recognises
        self._stop = threading.Event()
        self._until = 0.0
        self._dropped = 0
        self.error: OSError | None = None
        family = socket.AF_INET6 if ":" in listen.host else socket.AF_INET
        kind = socket.SOCK_DGRAM if listen.transport == "udp" else socket.SOCK_STREAM
        self._socket = socket.socket(family, kind)
        if kind == socket.SOCK_STREAM:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        else:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        try:
            self._socket.bind((listen.host, listen.port))
            if kind == socket.SOCK_STREAM:
                self._socket.listen(64)
        except OSError:
            self._socket.close()
            raise
        self._socket.settimeout(_TICK)
        target = self._serve_udp if kind == socket.SOCK_DGRAM else self._serve_tcp
        self._thread = threading.Thread(target=self._guard, args=(target,), name="syslog", daemon=True)
        self._thread.start()

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens; of use where port 0 was asked for."""
        host, port = self._socket.getsockname()[:2]
        return str(host), int(port)

    def close(self) -> None:
        """Take what has been received, and stop."""
        self._until = time.monotonic() + 1
        self._stop.set()
        self._thread.join()
        self._socket.close()
        self._spool.close()

    def _guard(self, serve: Callable[[], None]) -> None:
        try:
            serve()
        except OSError as error:
            self.error = error

    def _keep(self, messages: Iterable[bytes]) -> None:
        lines = [record_of(message, self._recognises) + b"\n" for message in messages]
        if lines:
            self._spool.write(b"".join(lines))

    def _serve_udp(self) -> None:
        looked = time.monotonic()
        while self._more_time():
            try:
                self._keep([self._socket.recv(1 << 16)])
            except TimeoutError:
                if self._stop.is_set():
                    break
            if time.monotonic() - looked >= _TICK:
                looked = time.monotonic()
                self._report_drops()
        self._report_drops()

    def _report_drops(self) -> None:
        try:
            (now,) = _DROPS.unpack(self._socket.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, _DROPS.size))
        except OSError:
            if self._dropped == 0:
                log.warning("syslog: this system does not tell how many messages it drops")
            now = -1
        if now > self._dropped:
            log.warning(
                "syslog: the kernel dropped %d messages for %s:%d; its receive buffer was full",
                now - self._dropped,
                *self.address,
            )
        self._dropped = now

    def _more_time(self) -> bool:
        """Once stopped, what the kernel still holds is taken, but not for ever."""
        return not self._stop.is_set() or time.monotonic() < self._until

    def _serve_tcp(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._socket, selectors.EVENT_READ)
            while not self._stop.is_set():
                if self._spool.full:
                    self._stop.wait(_TICK)
                    continue
                for key, _ in selector.select(_TICK):
                    if key.fileobj is self._socket:
                        self._accept(selector)
                    else:
                        self._receive(selector, key)
            for key in list(selector.get_map().values()):
                if key.fileobj is not self._socket:
                    self._end(selector, key)

    def _accept(self, selector: selectors.BaseSelector) -> None:
        try:
            connection, peer = self._socket.accept()
        except OSError as error:  # it went away before it was accepted, or there are too many open files
            log.warning("syslog: could not accept a connection: %s", error)
            return
        if len(selector.get_map()) > _CONNECTIONS:
            log.warning("syslog: refused a connection from %s: %d are open", peer[0], _CONNECTIONS)
            connection.close()
            return
        connection.setblocking(False)
        selector.register(connection, selectors.EVENT_READ, Framing())

    def _receive(self, selector: selectors.BaseSelector, key: selectors.SelectorKey) -> None:
        try:
            data = _socket(key).recv(1 << 16)
        except OSError as error:
            log.warning("syslog: a connection broke: %s", error.strerror)
            data = b""
        if data:
            self._keep(key.data.feed(data))
        else:
            self._end(selector, key)

    def _end(self, selector: selectors.BaseSelector, key: selectors.SelectorKey) -> None:
        self._keep(key.data.end())
        selector.unregister(key.fileobj)
        _socket(key).close()


def _socket(key: selectors.SelectorKey) -> socket.socket:
    if not isinstance(key.fileobj, socket.socket):
        raise TypeError("only sockets are registered")
    return key.fileobj
