"""Says of an event who is behind it, where its content goes, whose data it is and where that came from.

Pure: what comes out depends on the events, the configuration and the watermark alone. Fields of ours that an
event brings along (a document that was enriched before) are kept where nothing better is known.
"""

from __future__ import annotations

from functools import lru_cache

from streams.enrich.actor import Actor, Actors, day_of
from streams.enrich.config import EnrichConfig
from streams.enrich.content import Content
from streams.enrich.destination import Destinations, uncovered_categories
from streams.enrich.disk import add_disk_identities
from streams.enrich.egress import upload_size
from streams.enrich.marks import UPLOAD_SIZE_UNKNOWN, mark
from streams.enrich.subjects import Subjects, outside_caseload
from streams.event import NANOSECONDS, Event, Fields, LogSource, strings
from streams.state import Table

_LOG_SOURCES = 64
"""Sets of log sources that are remembered: a few for each format. Few, since documents may state any."""
RETENTION = 30 * 24 * 3600 * NANOSECONDS

__all__ = ["RETENTION", "EnrichConfig", "Enricher"]


class Enricher:
    """Enriches events. `lineage_retention` (nanoseconds) is how long after an export its content is known."""

    def __init__(self, config: EnrichConfig, *, lineage_retention: int = RETENTION) -> None:
        self._config = config
        self._actors = Actors(config.directory, config.destinations.is_internal)
        self._destinations = Destinations(config.destinations, config.domains)
        self._subjects = Subjects(config.pseudonyms, config.patterns)
        self._content = Content(lineage_retention)
        self.tables: tuple[Table, ...] = self._content.tables

    def enrich(self, event: Event, watermark: int | None) -> list[Event]:
        """Enrich an event in place; give it, and complete copies of earlier events that it explains.

        The copies bear the ids of the former events and are to be applied in their place. `watermark`, in
        nanoseconds, is the time before which no event is expected any more; None where time does not pass.
        """
        self.describe(event)
        return self.trace(event, watermark)

    def describe(self, event: Event) -> None:
        """Say in place what follows from the event alone: whose data, who, where to, which content."""
        self._subjects.apply(event)
        actor = self._actors.of(event.fields)
        self._say_who_and_where(event, actor)
        add_disk_identities(event.fields)

    def trace(self, event: Event, watermark: int | None) -> list[Event]:
        """Say in place what other events tell of a described event's content; give what `enrich` gives."""
        if watermark is not None:
            self.expire(watermark)
        events = [event, *self._content.trace(event, watermark)]
        for known in events:
            self.conclude(known)
        return events

    def conclude(self, event: Event) -> None:
        """Say in place what only the complete list of people allows to say; all there is, without content."""
        fields = event.fields
        if fields.get("outfall.subjects.id") is not None:
            person = self._config.directory.by_id.get(str(fields.get("outfall.actor.id")))
            exempt = person is not None and person.caseload_exempt
            outside_caseload(fields, self._config.caseloads, exempt=exempt)
        if fields.get("outfall.destination.agreement_categories") is not None:
            uncovered_categories(fields)

    def expire(self, watermark: int) -> None:
        """Forget what is too old to matter to any event that may still come."""
        self._content.expire(watermark)

    def after_restore(self) -> None:
        """Work out what follows from the restored tables."""
        self._content.after_restore()

    def _say_who_and_where(self, event: Event, actor: Actor | None) -> None:
        fields, day = event.fields, day_of(event.time)
        if actor is not None and fields.get("outfall.actor.id") is None:
            _add(fields, actor.fields(day))
        if fields.get("outfall.destination.class") is None:
            _add(fields, self._destinations.fields(fields, actor, day))
        egress = fields.get("outfall.egress") is True
        if egress and fields.get("outfall.channel") == "web" and upload_size(fields) is None:
            mark(event, UPLOAD_SIZE_UNKNOWN)
        channels = tuple(strings(fields.get("outfall.channel")))
        event.logsources = _with_ours(event.logsources, channels, egress)


def _add(fields: Fields, more: Fields) -> None:
    for name, value in more.items():
        if fields.get(name) is None:
            fields[name] = value


@lru_cache(maxsize=_LOG_SOURCES)
def _with_ours(
    logsources: tuple[LogSource, ...], channels: tuple[str, ...], egress: bool
) -> tuple[LogSource, ...]:
    """Add the log sources that events of these channels are of besides."""
    ours = [LogSource(category, "outfall") for category in (*channels, *(["egress"] if egress else []))]
    return tuple(dict.fromkeys((*logsources, *ours)))
