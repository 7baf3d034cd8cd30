"""Takes an iterator's items in batches, for an event loop: at once, or read ahead in a thread.

Reading at once holds the loop up, but for files only as long as work on them takes; a thread beside it costs
40% more processor time (measured), since both want Python's lock. A pipe may hold up for hours.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Generic, Protocol, TypeVar

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

ITEMS = 2000
"""Most items that wait."""
BATCH = 500
"""Most items that are taken at once from what never has to be waited for."""
BYTES = 8 << 20
"""Most bytes of items that wait or are taken at once, one item aside."""


class Batches(Protocol[T_co]):
    """Something from which batches are taken."""

    async def take(self, timeout: float) -> Sequence[T_co] | None:  # noqa: ASYNC109 - nothing is cancelled by it
        """Give what there is, after `timeout` seconds nothing; None at the end.

        Raises:
            Exception: what reading raised, once all before it has been given.
        """
        ...

    def close(self) -> None:
        """Read no more."""
        ...


class AtOnce(Generic[T]):
    """Batches of an iterator that never has to be waited for; `size` gives an item's bytes."""

    def __init__(self, items: Iterator[T], size: Callable[[T], int]) -> None:
        self._items = items
        self._size = size
        self._error: Exception | None = None

    async def take(self, timeout: float) -> list[T] | None:  # noqa: ARG002, ASYNC109 - as in the interface
        """See the interface."""
        taken: list[T] = []
        size = 0
        try:
            while self._error is None and len(taken) < BATCH and size < BYTES:
                taken.append(next(self._items))
                size += self._size(taken[-1])
        except StopIteration:
            pass
        except Exception as error:  # noqa: BLE001 - it is raised the next time
            self._error = error
        if self._error is not None and not taken:
            raise self._error
        return taken or None

    def close(self) -> None:
        """Nothing is to be done."""


class Ahead(Generic[T]):
    """Batches of an iterator that may have to be waited for. Make it within the event loop.

    The thread is a daemon: one that is stuck in reading a pipe must not keep the process from ending.
    """

    def __init__(self, items: Iterator[T], size: Callable[[T], int]) -> None:
        self._source = items
        self._size = size
        self._loop = asyncio.get_running_loop()
        self._ready = asyncio.Event()
        self._room = threading.Condition()
        self._items: list[T] = []
        self._bytes = 0
        self._ended = False
        self._closed = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._read, name="ahead", daemon=True)
        self._thread.start()

    async def take(self, timeout: float) -> list[T] | None:  # noqa: ASYNC109 - as in the interface
        """See the interface."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._ready.wait(), timeout)
        with self._room:
            taken, self._items, self._bytes = self._items, [], 0
            if not taken and self._ended:
                if self._error is not None:
                    raise self._error
                return None
            if not self._ended:
                self._ready.clear()
            self._room.notify()
        return taken

    def close(self) -> None:
        """Read no more; a thread that waits for a pipe is left behind."""
        with self._room:
            self._closed = True
            self._room.notify()
        self._thread.join(1)

    def _read(self) -> None:
        try:
            for item in self._source:
                if not self._put(item):
                    return
        except BaseException as error:  # noqa: BLE001 - it is raised again where items are taken
            self._error = error
        with self._room:
            self._ended = True
        self._wake()

    def _put(self, item: T) -> bool:
        """Add an item when there is room; false once nobody wants it."""
        with self._room:
            while not self._closed and (len(self._items) >= ITEMS or self._bytes >= BYTES):
                self._room.wait()
            self._items.append(item)
            self._bytes += self._size(item)
            first = len(self._items) == 1
        if first:
            self._wake()
        return not self._closed

    def _wake(self) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._ready.set)
