"""The state of a task as rows of a compacted topic: one partition for each task, and one writer.

A row's key is its table's name, a NUL and its own key; its value is as the table encodes it, nothing where
it was deleted. One more row says how far the input had been read when the others stood so. All rows of a
batch go out in one transaction with what else the batch led to, so what is read back is as after some whole
batch, whenever the writer was killed, and whoever woke up and believed to be it still.

Faust's own recovery of tables applies 2,400 rows a second; this reads whole fetches (docs/decisions/0005).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from streams.state import Change, Saved

SEPARATOR = b"\0"
POSITION = SEPARATOR + b"position"
_FETCH = 8 * 1024 * 1024
_RECORDS = 10_000


def encode(change: Change) -> tuple[bytes, bytes | None]:
    """Give the key and the value of a changed row."""
    return change.table.encode() + SEPARATOR + change.key.encode("utf-8", "surrogatepass"), change.value


async def restore(
    arguments: dict[str, Any],
    topic: str,
    partition: int,
    tables: Sequence[Saved],
    progress: Callable[[float], None] = lambda _share: None,
) -> tuple[int, int]:
    """Put the rows of a partition back; give the offset to read the input from, and how many rows there are.

    `progress` is told the share that has been read. Rows of tables that there are no more are left alone.
    The offset is 0 where nothing has been saved.

    Raises:
        KafkaError: the partition cannot be read.
    """
    where = TopicPartition(topic, partition)
    rows: dict[bytes, bytes] = {}
    consumer = AIOKafkaConsumer(
        **arguments,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        max_partition_fetch_bytes=_FETCH,
        fetch_max_wait_ms=10,
    )
    await consumer.start()
    try:
        consumer.assign([where])
        begin = (await consumer.beginning_offsets([where]))[where]
        end = (await consumer.end_offsets([where]))[where]
        consumer.seek(where, begin)
        while (position := await consumer.position(where)) < end:
            fetched = await consumer.getmany(where, timeout_ms=1000, max_records=_RECORDS)
            _apply(rows, fetched.get(where, ()))
            progress((position - begin) / max(1, end - begin))
    finally:
        await consumer.stop()
    position = int(rows.pop(POSITION, b"0"))
    by_name = {table.name.encode(): table for table in tables}
    for key, value in rows.items():
        name, _, row = key.partition(SEPARATOR)
        table = by_name.get(name)
        if table is not None:
            table.restore(row.decode("utf-8", "surrogatepass"), value)
    return position, len(rows)


def _apply(rows: dict[bytes, bytes], records: Iterable[Any]) -> None:
    for record in records:
        if record.value is None:
            rows.pop(record.key, None)
        else:
            rows[record.key] = record.value
