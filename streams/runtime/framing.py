"""How syslog messages follow each other in a TCP stream (RFC 6587): counted octets, or a line each."""

from __future__ import annotations

import re
from collections.abc import Iterator

from streams.normalise.base import MAX_BYTES

_KEPT = MAX_BYTES + 1
"""Of a longer message only so much is kept: enough for the pipeline to see that it is too long."""

_COUNT = re.compile(rb"([1-9]\d{0,7}) <")
_COUNT_BEGUN = re.compile(rb"[1-9]\d{0,7} ?")


class Framing:
    """Cuts the bytes of one connection into messages; what it holds back is bounded."""

    def __init__(self) -> None:
        self._held = b""
        self._skip = 0  # octets of an overlong counted message that are still to come
        self._in_long_line = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Give the messages that are complete now; an overlong one is cut, but still too long to process."""
        self._held += data
        while self._held:
            if self._skip:
                dropped = min(self._skip, len(self._held))
                self._held, self._skip = self._held[dropped:], self._skip - dropped
                continue
            message = self._next()
            if message is None:
                return
            if message:
                yield message

    def end(self) -> Iterator[bytes]:
        """Give what was begun when the connection closed."""
        if self._held and not self._in_long_line:
            yield self._held[:_KEPT]
        self._held = b""

    def _next(self) -> bytes | None:
        """Take one message off; empty for what is none, None where more must come first."""
        counted = None if self._in_long_line else _COUNT.match(self._held)
        if counted:
            return self._counted(int(counted[1]), counted.end() - 1)
        if not self._in_long_line and _COUNT_BEGUN.fullmatch(self._held):
            return None
        line, found, rest = self._held.partition(b"\n")
        if found:
            self._held = rest
            was_long, self._in_long_line = self._in_long_line, False
            return b"" if was_long else line[:_KEPT]
        if self._in_long_line:
            self._held = b""
        elif len(self._held) >= _KEPT:
            self._in_long_line = True
            kept, self._held = self._held[:_KEPT], b""
            return kept
        return None

    def _counted(self, length: int, start: int) -> bytes | None:
        kept = min(length, _KEPT)
        if len(self._held) < start + kept:
            return None
        message = self._held[start : start + kept]
        self._held, self._skip = self._held[start + kept :], length - kept
        return message
