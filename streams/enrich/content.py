"""Carries what an export said to the events that bear its content, in whichever order they come.

An event that bears content is kept, as it was without its lineage, until the watermark is past it by the
clock skew. Whenever a maker comes that has a part in its content, it is traced back again.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from streams.enrich.lineage import Lineage
from streams.enrich.maker import SKEW, Maker, identities
from streams.enrich.marks import CONTENT_INFERRED, LINEAGE_TOO_LONG, mark
from streams.enrich.subjects import known_of, merge
from streams.event import Event, Fields, LogSource, Origin, rfc3339, strings
from streams.state import Table

_GUESSED = "uploaded:"
_BEARS = ("outfall.content.carries", "outfall.content.from")


def bears(event: Event) -> bool:
    """Tell whether an event says anything of content, so that others may explain it, or it others."""
    fields = event.fields
    return (
        fields.get("outfall.content.produces") is not None
        or fields.get("outfall.content.carries") is not None
        or fields.get("outfall.content.from") is not None
    )


@dataclass(slots=True)
class _Bearer:
    """A kept event, without its lineage, and the ids of the origins that it was last given out with."""

    event: Event
    wanted: tuple[str, ...]
    origins: list[str]


class Content:
    """Lineage of content over `retention` nanoseconds."""

    def __init__(self, retention: int) -> None:
        self._lineage = Lineage(retention)
        self._rows = Table("content_bearers")
        self._bearers: dict[str, _Bearer] = {}
        self._bearing: dict[str, set[str]] = {}
        self._ends: list[tuple[int, str]] = []
        self.tables: tuple[Table, ...] = (self._lineage.table, self._rows)

    def trace(self, event: Event, watermark: int | None) -> list[Event]:
        """Complete an event in place; give copies, by time and id, of kept events that it says more about."""
        fields = event.fields
        produces = identities(strings(fields.get("outfall.content.produces")))
        wanted = identities(value for name in _BEARS for value in strings(fields.get(name)))
        if not produces and not wanted:
            return []
        explained: list[Event] = []
        if produces and not _failed(fields):
            made_from = identities(strings(fields.get("outfall.content.from")))
            maker = Maker(
                event.id, event.time, _actor(fields), produces, made_from, known_of(fields), _told(event)
            )
            if self._lineage.add(maker, watermark):
                explained = self._retrace(maker)
        if wanted:
            bearer = _Bearer(_copy(event), wanted, [])
            bearer.origins = self._complete(event, bearer)
            if watermark is None or _end(event) >= watermark:
                self._keep(bearer)
        return explained

    def expire(self, watermark: int) -> None:
        """Forget what nothing can depend on any more."""
        self._lineage.expire(watermark)
        while self._ends and self._ends[0][0] < watermark:
            _, event_id = heapq.heappop(self._ends)
            bearer = self._bearers.get(event_id)
            if bearer is not None and _end(bearer.event) < watermark:
                self._forget(bearer)
                del self._rows[event_id]

    def after_restore(self) -> None:
        """Go on from the restored tables."""
        self._lineage.after_restore()
        for event_id, row in self._rows.items():
            event = _event(event_id, row)
            self._remember(_Bearer(event, tuple(row["wanted"]), row["origins"]))

    def _retrace(self, maker: Maker) -> list[Event]:
        """Complete again the kept events in which a new or changed maker has a part."""
        if not self._bearers:
            return []
        touched = {
            event_id
            for identity in self._lineage.explains(maker)
            for event_id in self._bearing.get(identity, ())
            if event_id != maker.id
        }
        changed: list[Event] = []
        for event_id in touched:
            bearer = self._bearers[event_id]
            event = _copy(bearer.event)
            origins = self._complete(event, bearer)
            if origins != bearer.origins or maker.id in origins:
                bearer.origins = origins
                self._rows[event_id] = _row(bearer)
                changed.append(event)
        return sorted(changed, key=lambda event: (event.time, event.id))

    def _complete(self, event: Event, bearer: _Bearer) -> list[str]:
        """Add to an event what is known of its content; give the ids of the origins."""
        origins, cut = self._lineage.trace(bearer.wanted, event.time, _actor(event.fields), event.id)
        if cut:
            mark(event, LINEAGE_TOO_LONG)
        if origins and any(identity.startswith(_GUESSED) for identity in bearer.wanted):
            mark(event, CONTENT_INFERRED)
        for origin in origins:
            merge(event.fields, origin.known)
        if origins:
            event.fields["outfall.content.origin"] = [origin.id for origin in origins]
            event.fields["outfall.content.origin_told"] = [origin.told for origin in origins]
        return [origin.id for origin in origins]

    def _keep(self, bearer: _Bearer) -> None:
        former = self._bearers.get(bearer.event.id)
        if former is not None:
            self._forget(former)
        self._remember(bearer)
        self._rows[bearer.event.id] = _row(bearer)

    def _remember(self, bearer: _Bearer) -> None:
        self._bearers[bearer.event.id] = bearer
        for identity in bearer.wanted:
            self._bearing.setdefault(identity, set()).add(bearer.event.id)
        heapq.heappush(self._ends, (_end(bearer.event), bearer.event.id))

    def _forget(self, bearer: _Bearer) -> None:
        del self._bearers[bearer.event.id]
        for identity in bearer.wanted:
            self._bearing[identity].discard(bearer.event.id)
            if not self._bearing[identity]:
                del self._bearing[identity]


def _end(event: Event) -> int:
    """Give the time until which a maker may still come that is not after the event."""
    return event.time + SKEW


def _failed(fields: Fields) -> bool:
    """Tell whether nothing came into being after all."""
    return fields.get("outfall.verdict") == "blocked" or fields.get("event.outcome") == "failure"


def _told(event: Event) -> str:
    """Say what an event was and where it is logged: time, action, source and line."""
    action = " and ".join(strings(event.fields.get("event.action")))
    return f"{rfc3339(event.time)} {action} ({event.origin.source} line {event.origin.line})"


def _actor(fields: Fields) -> str | None:
    actor = fields.get("outfall.actor.id")
    return None if actor is None else str(actor)


def _copy(event: Event) -> Event:
    return Event(event.id, event.time, dict(event.fields), event.origin, event.logsources, event.marks)


def _row(bearer: _Bearer) -> dict[str, Any]:
    event = bearer.event
    origin = event.origin
    return {
        "time": event.time,
        "fields": event.fields,
        "origin": [origin.source, origin.stream, origin.offset, origin.line],
        "logsources": [list(source) for source in event.logsources],
        "marks": event.marks,
        "wanted": bearer.wanted,
        "origins": bearer.origins,
    }


def _event(event_id: str, row: dict[str, Any]) -> Event:
    sources: Iterable[list[str | None]] = row["logsources"]
    return Event(
        event_id,
        row["time"],
        row["fields"],
        Origin(*row["origin"]),
        tuple(LogSource(*source) for source in sources),
        tuple(row["marks"]),
    )
