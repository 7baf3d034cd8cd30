"""Standard input: a thread that appends it to a spool, since what a pipe has given it gives only once."""

from __future__ import annotations

import os
import select
import threading

from streams.runtime.spool import SpoolWriter

_CHUNK = 1 << 16
_TICK = 0.2


class StandardInput:
    """Reads a descriptor until its end, and sets `closed` then. `close` stops it earlier."""

    def __init__(self, descriptor: int, spool: SpoolWriter, closed: threading.Event) -> None:
        self._descriptor = descriptor
        self._spool = spool
        self._closed = closed
        self._stop = threading.Event()
        self.error: OSError | None = None
        self._thread = threading.Thread(target=self._guard, name="stdin", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop reading; what has been read is in the spool."""
        self._stop.set()
        self._thread.join()

    def _guard(self) -> None:
        try:
            self._serve()
        except OSError as error:
            self.error = error
        finally:
            self._spool.close()
            if not self._stop.is_set():
                self._closed.set()

    def _serve(self) -> None:
        while not self._stop.is_set():
            if self._spool.full:
                self._stop.wait(_TICK)
            elif select.select([self._descriptor], [], [], _TICK)[0]:
                data = os.read(self._descriptor, _CHUNK)
                if not data:
                    return
                self._spool.write(data)
