"""Documents written into Elasticsearch by its bulk interface, each with its own answer.

* created, or a conflict: done
* too many requests, no node, no connection, no permission, a full disk, no index: sent again, for as long
  as that takes, and nothing is skipped
* the document itself is refused: given back, with a reason that says nothing of its content

https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-bulk
"""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Generic

import orjson
from elasticsearch import ApiError, AsyncElasticsearch, TransportError

from streams.sinks.sink import Refused, T, Told

BYTES = 8 << 20
"""Most bytes of one request, one document aside; the server takes 100 MiB."""
PAUSE, LONGEST = 0.2, 30.0
"""Seconds before what was not taken is sent again, the first time and at most."""

_ANSWER = "items.*.status,items.*.error"
_FIELD = re.compile(r"field (?:name )?\[([\w.@]{1,100})\]")
_DOCUMENT = {"document_parsing_exception", "mapper_parsing_exception", "strict_dynamic_mapping_exception"}
_DOCUMENT |= {"illegal_argument_exception", "parsing_exception", "x_content_parse_exception"}


@dataclass(frozen=True, slots=True)
class Item(Generic[T]):
    """What is done with one document; `item` is what it was made of."""

    item: T
    lines: tuple[bytes, bytes]

    @classmethod
    def of(cls, item: T, operation: str, where: dict[str, Any], document: dict[str, Any]) -> Item[T]:
        """Put an operation, `create` or `index`, into words; `where` has index, id and version."""
        return cls(item, (orjson.dumps({operation: where}), orjson.dumps(document)))

    @property
    def size(self) -> int:
        """How many bytes of a request it takes."""
        return sum(map(len, self.lines)) + len(self.lines)


class Bulk(Generic[T]):
    """Writes items: `batch` in a request, and so many `requests` at once.

    Of the names of fields that the server complains of, only those are told that begin as `fields` do: others
    are content.
    """

    def __init__(
        self, client: AsyncElasticsearch, told: Told, *, fields: Sequence[str], batch: int, requests: int
    ) -> None:
        self._client = client
        self._told = told
        self._fields = tuple(fields)
        self._batch = batch
        self._requests = asyncio.Semaphore(requests)

    async def write(self, items: Sequence[Item[T]]) -> list[Refused[T]]:
        """Return when all are safe, except those that are given back."""
        refused: list[Refused[T]] = []
        pending = [*items]
        attempt = 0
        while pending:
            answers = await asyncio.gather(*map(self._send, self._chunks(pending)))
            pending = [item for again, _ in answers for item in again]
            refused += [one for _, some in answers for one in some]
            if pending:
                await asyncio.sleep(min(LONGEST, PAUSE * 2**attempt) * random.uniform(0.5, 1))  # noqa: S311
                attempt = min(attempt + 1, 16)
            else:
                self._told.goes_on()
        return refused

    def _chunks(self, items: Sequence[Item[T]]) -> list[list[Item[T]]]:
        chunks: list[list[Item[T]]] = [[]]
        size = 0
        for item in items:
            if chunks[-1] and (len(chunks[-1]) >= self._batch or size + item.size > BYTES):
                chunks.append([])
                size = 0
            chunks[-1].append(item)
            size += item.size
        return chunks

    async def _send(self, items: list[Item[T]]) -> tuple[list[Item[T]], list[Refused[T]]]:
        """Send items once; give those that must be sent again, and those that are refused."""
        try:
            async with self._requests:
                lines: Any = [line for item in items for line in item.lines]
                answer = await self._client.bulk(operations=lines, filter_path=_ANSWER)
        except ApiError as error:
            return await self._whole(items, error.status_code)
        except TransportError as error:
            self._told.again(type(error).__name__, len(items))
            return items, []
        again: list[Item[T]] = []
        refused: list[Refused[T]] = []
        for item, told in zip(items, answer["items"], strict=True):
            result: dict[str, Any] = next(iter(told.values()))
            status, error_type, reason = _read(result)
            if status in (HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.CONFLICT):
                self._told.done("duplicate" if status == HTTPStatus.CONFLICT else "created", 1)
            elif status == HTTPStatus.BAD_REQUEST and error_type in _DOCUMENT:
                refused.append(self._refused(item, error_type, reason))
            else:
                self._told.again(error_type or str(status), 1)
                again.append(item)
        return again, refused

    async def _whole(self, items: list[Item[T]], status: int) -> tuple[list[Item[T]], list[Refused[T]]]:
        """Go on after a request was refused as a whole: in halves, where its content can be the reason."""
        if status not in (HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE):
            self._told.again(str(status), len(items))
            return items, []
        if len(items) == 1:
            return [], [self._refused(items[0], f"status_{status}", "")]
        middle = len(items) // 2
        first, second = await asyncio.gather(self._send(items[:middle]), self._send(items[middle:]))
        return first[0] + second[0], first[1] + second[1]

    def _refused(self, item: Item[T], error: str, reason: str) -> Refused[T]:
        self._told.done("refused", 1)
        named = _FIELD.search(reason)
        field = named[1] if named and named[1].startswith(self._fields) else None
        where = f" in field {field}" if field else ""
        return Refused(item.item, error, f"Elasticsearch refuses it: {error}{where}")


def _read(result: dict[str, Any]) -> tuple[int, str, str]:
    """Give the status of an item, and the error's kind and text; the error can be text by itself."""
    error = result.get("error")
    status = int(result.get("status", 0))
    if isinstance(error, dict):
        return status, str(error.get("type", "")), str(error.get("reason", ""))
    return status, "", str(error or "")
