"""Alerts in Elasticsearch: every revision once and for ever, and the newest one of each.

A revision's `_id` is its digest, and it is only ever created: a conflict (409) says that exactly this
document is there. The newest one of each alert has the revision as its external version: an older one is
refused (409). So what is sent again after a crash changes nothing. Each item has its own answer:

* created, or a conflict: done
* too many requests, no node, no connection, no permission, a full disk, no index: sent again, for as long
  as that takes, and nothing is skipped
* the document itself is refused: given back, with a reason that says nothing of its content
"""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import orjson
from elasticsearch import ApiError, AsyncElasticsearch, TransportError

from streams.alert import Alert
from streams.sinks.alert_document import document, revision_index, state_index
from streams.sinks.sink import Refused, Told

BYTES = 8 << 20
"""Most bytes of one request, one document aside; the server takes 100 MiB."""
PAUSE, LONGEST = 0.2, 30.0
"""Seconds before what was not taken is sent again, the first time and at most."""

_ANSWER = "items.*.status,items.*.error"
_FIELD = re.compile(r"field (?:name )?\[([\w.@]{1,100})\]")
_DOCUMENT = {"document_parsing_exception", "mapper_parsing_exception", "strict_dynamic_mapping_exception"}
_DOCUMENT |= {"illegal_argument_exception", "parsing_exception", "x_content_parse_exception"}
_OUR_FIELDS = ("outfall", "event", "rule", "threat", "user", "destination", "@timestamp", "message", "tags")


@dataclass(frozen=True, slots=True)
class _Item:
    alert: Alert
    lines: bytes


class ElasticsearchSink:
    """Writes alerts; indices and templates have `prefix` and a hyphen before their names."""

    def __init__(
        self, client: AsyncElasticsearch, prefix: str, told: Told, *, batch: int = 500, requests: int = 4
    ) -> None:
        self._client = client
        self._prefix = prefix
        self._told = told
        self._batch = batch
        self._requests = asyncio.Semaphore(requests)

    async def write(self, alerts: Sequence[Alert]) -> list[Refused]:
        """Return when all alerts are safe, except those that are given back."""
        newest = {alert.id: alert for alert in sorted(alerts, key=lambda one: one.revision)}
        refused: dict[tuple[str, int], Refused] = {}
        pending = [*map(self._revision, alerts), *map(self._state, newest.values())]
        attempt = 0
        while pending:
            answers = await asyncio.gather(*map(self._send, self._chunks(pending)))
            pending = [item for again, _ in answers for item in again]
            for each in (one for _, some in answers for one in some):
                refused.setdefault((each.alert.id, each.alert.revision), each)
            if pending:
                await asyncio.sleep(min(LONGEST, PAUSE * 2**attempt) * random.uniform(0.5, 1))  # noqa: S311
                attempt = min(attempt + 1, 16)
            else:
                self._told.goes_on()
        return [*refused.values()]

    def _revision(self, alert: Alert) -> _Item:
        content = document(alert)
        action = {"create": {"_index": revision_index(self._prefix, alert), "_id": content["event"]["id"]}}
        return _Item(alert, orjson.dumps(action) + b"\n" + orjson.dumps(content))

    def _state(self, alert: Alert) -> _Item:
        version = {"version": alert.revision, "version_type": "external"}
        action = {"index": {"_index": state_index(self._prefix), "_id": alert.id, **version}}
        return _Item(alert, orjson.dumps(action) + b"\n" + orjson.dumps(document(alert)))

    def _chunks(self, items: Sequence[_Item]) -> list[list[_Item]]:
        chunks: list[list[_Item]] = [[]]
        size = 0
        for item in items:
            if chunks[-1] and (len(chunks[-1]) >= self._batch or size + len(item.lines) > BYTES):
                chunks.append([])
                size = 0
            chunks[-1].append(item)
            size += len(item.lines)
        return chunks

    async def _send(self, items: list[_Item]) -> tuple[list[_Item], list[Refused]]:
        """Send items once; give those that must be sent again, and those that are refused."""
        try:
            async with self._requests:
                lines = [line for item in items for line in item.lines.split(b"\n")]
                answer = await self._client.bulk(
                    operations=lines,  # type: ignore[arg-type]  # lines that are ready are sent as they are
                    filter_path=_ANSWER,
                )
        except ApiError as error:
            return await self._whole(items, error.status_code)
        except TransportError as error:
            self._told.again(type(error).__name__, len(items))
            return items, []
        again: list[_Item] = []
        refused: list[Refused] = []
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

    async def _whole(self, items: list[_Item], status: int) -> tuple[list[_Item], list[Refused]]:
        """Go on after a request was refused as a whole: in halves, where its content can be the reason."""
        if status not in (HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE):
            self._told.again(str(status), len(items))
            return items, []
        if len(items) == 1:
            return [], [self._refused(items[0], f"status_{status}", "")]
        middle = len(items) // 2
        first, second = await asyncio.gather(self._send(items[:middle]), self._send(items[middle:]))
        return first[0] + second[0], first[1] + second[1]

    def _refused(self, item: _Item, error: str, reason: str) -> Refused:
        self._told.done("refused", 1)
        named = _FIELD.search(reason)
        field = named[1] if named and named[1].startswith(_OUR_FIELDS) else None
        where = f" in field {field}" if field else ""
        return Refused(item.alert, error, f"Elasticsearch refuses it: {error}{where}")


def _read(result: dict[str, Any]) -> tuple[int, str, str]:
    """Give the status of an item, and the error's kind and text; the error can be text by itself."""
    error = result.get("error")
    status = int(result.get("status", 0))
    if isinstance(error, dict):
        return status, str(error.get("type", "")), str(error.get("reason", ""))
    return status, "", str(error or "")
