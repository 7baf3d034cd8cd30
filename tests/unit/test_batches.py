"""Items in batches: all of them, in order, in bounded memory; none waits for one that is yet to come."""

from __future__ import annotations

import asyncio
import queue
from collections.abc import Iterator

import pytest

from streams.runtime.batches import BYTES, ITEMS, Ahead, AtOnce, Batches

KINDS = [Ahead, AtOnce]


async def everything(batches: Batches[int]) -> list[int]:
    found: list[int] = []
    while (batch := await batches.take(1)) is not None:
        found += batch
    return found


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", [0, 1, 5000])
def test_all_items_are_given_in_order(kind: type[Ahead[int]], count: int) -> None:
    async def run() -> list[int]:
        return await everything(kind(iter(range(count)), lambda _: 1))

    assert asyncio.run(run()) == list(range(count))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("size", "most"), [(1, ITEMS), (BYTES // 4, 4), (2 * BYTES, 1)])
def test_so_much_is_read_and_no_more(kind: type[Ahead[int]], size: int, most: int) -> None:
    read = 0

    def items() -> Iterator[int]:
        nonlocal read
        while read < 10 * ITEMS:
            read += 1
            yield read

    async def run() -> list[int] | None:
        batches = kind(items(), lambda _: size)
        await asyncio.sleep(0.2)
        assert read <= most + 1
        taken = await batches.take(1)
        batches.close()
        return taken

    taken = asyncio.run(run())
    assert taken
    assert len(taken) <= most


@pytest.mark.parametrize("kind", KINDS)
def test_what_reading_raises_comes_after_what_was_read(kind: type[Ahead[int]]) -> None:
    def items() -> Iterator[int]:
        yield 1
        raise OSError("gone")

    async def run() -> None:
        batches = kind(items(), lambda _: 1)
        assert await batches.take(1) == [1]
        with pytest.raises(OSError, match="gone"):
            await batches.take(1)

    asyncio.run(run())


def test_an_item_is_given_while_the_next_is_waited_for() -> None:
    pipe: queue.Queue[int | None] = queue.Queue()

    async def run() -> None:
        batches = Ahead(iter(pipe.get, None), lambda _: 1)
        assert await batches.take(0.01) == []
        pipe.put(1)
        assert await batches.take(5) == [1]
        assert await batches.take(0.01) == []
        pipe.put(2)
        pipe.put(None)
        assert await everything(batches) == [2]

    asyncio.run(run())
