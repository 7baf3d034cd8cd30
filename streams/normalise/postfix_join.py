"""Joins the lines that Postfix logs of one message, over host and queue id, to one event for the message.

The state is the set of what the lines told, so that neither their order nor their repetition matters. A
message comes out when it leaves the queue (`removed`) or is refused as a whole, and again, under the same
id, when a late line tells more of it. It is kept until the watermark is an hour past that. Of more than
`MAX_MESSAGES` the oldest goes; one that had not left the queue yet comes out as it is, marked `incomplete`.

A message that a content filter hands back to Postfix is two, each with a queue id of its own.
"""

from __future__ import annotations

import hashlib
import heapq
from typing import Any

import orjson

from streams.event import CLOCK_AHEAD, NANOSECONDS, Event, Fields, LogSource, Origin, rfc3339, strings
from streams.normalise.base import INCOMPLETE
from streams.normalise.postfix_facts import Fact, ends, fact_of, whole
from streams.state import Table

KEPT = 3600 * NANOSECONDS
"""How long a message that has left the queue is kept for late lines, in event time."""
MAX_MESSAGES = 50_000
MAX_FACTS = 20_000
"""Most facts that are kept of one message: recipients times tries."""
_SLACK = 60 * NANOSECONDS
"""A line so much later than the end is of another message: short queue ids are used again."""

_LOG_SOURCE = LogSource("email", "postfix", "message")


class PostfixJoin:
    """Takes the events of single lines and gives those of whole messages.

    A row of `table` is what is known under one host and queue id: `facts` (each as JSON, so that repeated
    ones are one), `origins` of the lines that ended a message by their time, `sent` (what has come out, by
    id), and `last`, the latest time.
    """

    def __init__(self, max_messages: int = MAX_MESSAGES) -> None:
        self.table = Table("postfix")
        self._max = max_messages
        # Heaps of (last, key), by whether the message is open; made from the table at the first line.
        self._ages: dict[bool, list[tuple[int, str]]] | None = None
        self._newest = -(2**63)

    def add(self, event: Event, watermark: int | None = None) -> list[Event]:
        """Take one line's event; give the messages that it completes or changes.

        `watermark` is the time, in nanoseconds, before which no line is expected any more: what ended more
        than an hour before it is forgotten. Without it the newest line's time takes its place, which is right
        only where lines come in their order.
        """
        fact = fact_of(event)
        queue_id = event.fields.get("email.local_id")
        if fact is None or queue_id is None:
            return []
        if self._ages is None:
            self._restore_ages()
        if CLOCK_AHEAD not in event.marks:
            self._newest = max(self._newest, event.time)
        key = f"{event.fields.get('host.name', '')}/{queue_id}"
        row = self.table.get(key) or {"facts": {}, "origins": {}, "sent": {}, "last": -(2**63)}
        told = orjson.dumps(fact, option=orjson.OPT_SORT_KEYS).decode()
        if told in row["facts"]:
            return []
        row["facts"][told] = None
        row["last"] = max(row["last"], min(event.time, self._newest))
        origin = event.origin
        if ends(fact):
            place = [origin.source, origin.stream, origin.offset, origin.line]
            row["origins"].setdefault(str(event.time), place)
        messages = self._changed(key, row)
        if len(row["facts"]) > MAX_FACTS:
            messages += self._given_up(key, row, origin)
            del self.table[key]
        else:
            self.table[key] = row
            self._note(key, row)
        return messages + self._forget(origin, self._newest if watermark is None else watermark)

    def _changed(self, key: str, row: dict[str, Any]) -> list[Event]:
        """Give the messages that have ended and are not yet out as they are now known."""
        if not row["origins"]:
            return []
        messages = []
        for end, facts in _messages(row).items():
            if end is None:
                continue
            message = _event(key, end, facts, Origin(*row["origins"][str(end)]))
            digest = hashlib.sha256(orjson.dumps(message.fields, option=orjson.OPT_SORT_KEYS)).hexdigest()[
                :16
            ]
            if row["sent"].get(message.id) != digest and _says_anything(message):
                row["sent"][message.id] = digest
                messages.append(message)
        return messages

    def _given_up(self, key: str, row: dict[str, Any], origin: Origin) -> list[Event]:
        """Give the message that has not ended, as far as it is known."""
        facts = _messages(row).get(None)
        message = _event(key, facts[-1]["time"], facts, origin) if facts else None
        return [message] if message is not None and _says_anything(message) else []

    def _forget(self, origin: Origin, watermark: int) -> list[Event]:
        """Drop what ended long ago, and the oldest beyond the bound."""
        messages: list[Event] = []
        while (oldest := self._oldest(is_open=False)) and oldest[0] < watermark - KEPT:
            del self.table[oldest[1]]
        while len(self.table) > self._max:
            oldest = self._oldest(is_open=False) or self._oldest(is_open=True)
            if oldest is None:
                break
            messages += self._given_up(oldest[1], self.table[oldest[1]], origin)
            del self.table[oldest[1]]
        return messages

    def _oldest(self, *, is_open: bool) -> tuple[int, str] | None:
        """Give the row of longest ago; entries of the heap that no longer hold are dropped."""
        heap = (self._ages or {})[is_open]
        while heap:
            last, key = heap[0]
            row = self.table.get(key)
            if row is not None and row["last"] == last and _is_open(row) == is_open:
                return last, key
            heapq.heappop(heap)
        return None

    def _note(self, key: str, row: dict[str, Any]) -> None:
        if self._ages is None or sum(map(len, self._ages.values())) > 4 * len(self.table) + 1000:
            self._restore_ages()
        else:
            heapq.heappush(self._ages[_is_open(row)], (row["last"], key))

    def _restore_ages(self) -> None:
        """Make the heaps from the table, at the start and where too many of their entries no longer hold."""
        self._ages = {True: [], False: []}
        for key, row in self.table.items():
            self._ages[_is_open(row)].append((row["last"], key))
            self._newest = max(self._newest, row["last"])
        for heap in self._ages.values():
            heapq.heapify(heap)


def _is_open(row: dict[str, Any]) -> bool:
    """Tell whether the row holds a message that has not ended."""
    latest = max((int(end) for end in row["origins"]), default=None)
    return latest is None or row["last"] > latest + _SLACK


def _messages(row: dict[str, Any]) -> dict[int | None, list[Fact]]:
    """Part a row's facts into messages by the time of their end, None for one that has not ended."""
    known: list[Fact] = [orjson.loads(told) for told in sorted(row["facts"])]
    known.sort(key=lambda fact: (fact["time"], ends(fact)))
    bounds: list[int] = []
    for fact in known:
        if ends(fact) and (not bounds or fact["time"] > bounds[-1] + _SLACK):
            bounds.append(fact["time"])
    parted: dict[int | None, list[Fact]] = {}
    place = 0
    for fact in known:
        while place < len(bounds) and fact["time"] > bounds[place] + _SLACK:
            place += 1
        parted.setdefault(bounds[place] if place < len(bounds) else None, []).append(fact)
    return parted


def _event(key: str, end: int, facts: list[Fact], origin: Origin) -> Event:
    """Make the message's event, at the time of its end: by then it had gone out, and it is never late."""
    host, _, queue_id = key.rpartition("/")
    fields, incomplete = whole(facts)
    event_id = hashlib.sha256(f"postfix\0{key}\0{end}".encode()).hexdigest()[:32]
    head: Fields = {
        "@timestamp": rfc3339(end),
        "event.dataset": "postfix",
        "event.id": event_id,
        "email.local_id": queue_id,
        "host.name": host,
    }
    return Event(event_id, end, fields | head, origin, (_LOG_SOURCE,), (INCOMPLETE,) if incomplete else ())


def _says_anything(message: Event) -> bool:
    """Tell whether it is known to whom or from whom the message went."""
    return any(strings(message.fields.get(name)) for name in ("email.to.address", "email.from.address"))
