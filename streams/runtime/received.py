"""Inputs that receive: standard input and syslog, each a spool with a thread that fills it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from streams.runtime.feed import Clock, Feed
from streams.runtime.position import Position
from streams.runtime.spool import SpoolReader, SpoolWriter
from streams.runtime.stdin import StandardInput
from streams.runtime.syslog import SyslogListener
from streams.source_settings import Listen


class ReceivedInput(SpoolReader):
    """A spool and what fills it, if anything does: without a receiver only what is left is read."""

    def __init__(
        self,
        folder: Path,
        source: str,
        positions: Iterable[Position],
        *,
        clock: Clock,
        receive: Callable[[SpoolWriter, threading.Event], StandardInput | SyslogListener] | None,
    ) -> None:
        closed = threading.Event()
        super().__init__(folder, source, positions, clock=clock, closed=closed)
        self.receiver = receive(SpoolWriter(folder, source, clock=clock), closed) if receive else None
        if self.receiver is None:
            closed.set()

    def poll(self) -> list[Feed]:
        """Give the file that is to be read now; what broke the receiver breaks this too."""
        if self.receiver and self.receiver.error:
            raise self.receiver.error
        return super().poll()

    def close(self) -> None:
        """Stop receiving."""
        if self.receiver:
            self.receiver.close()
        super().close()


def from_stdin(descriptor: int) -> Callable[[SpoolWriter, threading.Event], StandardInput]:
    """Receive what comes at a descriptor, until its end."""
    return lambda spool, closed: StandardInput(descriptor, spool, closed)


def from_syslog(
    listen: Listen, recognises: Callable[[str], bool]
) -> Callable[[SpoolWriter, threading.Event], SyslogListener]:
    """Receive syslog messages, for a format that recognises its lines so."""
    return lambda spool, _: SyslogListener(listen, spool, recognises)
