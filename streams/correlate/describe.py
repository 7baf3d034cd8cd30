"""Makes an alert revision of an episode: the sums, the one-sentence reason, the ordered evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from streams.alert import Actor, Alert, AlertRule, Evidence
from streams.correlate.correlator import Changed, Correlator
from streams.correlate.severity import SeverityTable
from streams.correlate.tally import Tally
from streams.event import NANOSECONDS, first, rfc3339
from streams.rule import Correlation, CorrelationType, Threshold

_SIGNS = {"lt": "<", "lte": "≤", "gt": ">", "gte": "≥", "eq": "=", "neq": "≠"}
_WAYS = {
    "email": "by e-mail",
    "web": "over the web",
    "share": "by a share",
    "removable": "to removable media",
    "print": "on paper",
    "mail_rule": "by a mail rule",
    "case_system": "in the case system",
    "file": "in files",
}
_PLACES = {
    "self": "the actor's own private address",
    "webmail": "a webmail address",
    "cloud_storage": "cloud storage",
    "paste": "a paste site",
    "removable": "removable media",
    "print": "paper",
    "partner": "a partner",
    "unknown_external": "an unknown place outside",
    "internal": "a place inside",
}


@dataclass(frozen=True, slots=True)
class Edition:
    """Which rule book is running: the hash of its content, and its git commit where it has one."""

    version: str
    revision: str | None = None


def describe(
    change: Changed,
    correlator: Correlator,
    severity: SeverityTable,
    edition: Edition,
    *,
    detected: int | None,
    freshness: Mapping[str, int],
) -> Alert | None:
    """Give the next revision of an episode's alert, or None where it would say what the last one said.

    Takes note of the revision in the episode. `detected` is processing time, `freshness` the event time of
    the newest event of each source, both in nanoseconds.
    """
    track, episode = change.track, change.episode
    rule, tally = track.correlation.rule, episode.tally
    grade = severity.severity(rule, tally)
    observed, firings = track.summary(episode)
    alert = Alert(
        id=episode.id,
        revision=episode.revision + 1,
        status=episode.status,
        superseded_by=episode.superseded_by,
        rule=AlertRule(
            id=rule.id,
            name=rule.name,
            title=rule.title,
            level=rule.level,
            place=str(rule.place),
            version=edition.version,
            revision=edition.revision,
            tags=list(rule.tags),
            runbook=rule.extras.runbook,
            falsepositives=list(rule.falsepositives),
        ),
        group=track.group if episode.group is None else episode.group,
        reason=_reason(track.correlation, tally, observed),
        severity=grade,
        tier=severity.tier(tally.people),
        page=episode.page_now,
        pages=episode.pages,
        breach=episode.breach,
        actor=_actor(tally),
        channels=sorted(tally.channels),
        destinations=sorted(tally.destinations),
        destination_classes=sorted(tally.classes),
        verdict=tally.verdict,
        exposure=tally.exposure(),
        files=sorted(tally.listed_files(), key=repr),
        observed=observed if track.correlation.timespan else None,
        threshold=threshold(track.correlation) if track.correlation.timespan else None,
        first=rfc3339(episode.first),
        last=rfc3339(episode.last),
        firings=firings,
        late=episode.late,
        evidence=_evidence(tally, correlator),
        detected=None if detected is None else rfc3339(detected),
        freshness={source: rfc3339(time) for source, time in sorted(freshness.items())},
    )
    digest = alert.digest()
    if digest == episode.digest and not episode.page_now:
        return None
    episode.digest, episode.revision, episode.page_now = digest, alert.revision, False
    return alert


def threshold(correlation: Correlation) -> str:
    """Write a correlation's condition and timespan, as `value_count > 100 in 24h`."""
    condition = correlation.condition
    wanted = (
        f"{_SIGNS[condition.operator]} {condition.number}"
        if isinstance(condition, Threshold)
        else "as combined"
    )
    if correlation.type in (CorrelationType.TEMPORAL, CorrelationType.TEMPORAL_ORDERED):
        wanted += " of its rules" if isinstance(condition, Threshold) else ""
    return f"{correlation.type.value} {wanted} in {_span(correlation.timespan)}"


def _reason(correlation: Correlation, tally: Tally, observed: float | None) -> str:
    """Say in one sentence who did what with whose data; counts and classes only, never a name or address."""
    who = str(first(tally.actor.get("outfall.actor.id")) or "somebody unknown")
    if first(tally.actor.get("outfall.actor.leaver")) is True:
        who += ", who is leaving,"
    people = f"{tally.people} {'person' if tally.people == 1 else 'people'}"
    if tally.people:
        data = f" ({', '.join(sorted(tally.categories))})" if tally.categories else ""
        whose = f"data of {people}{data}"
    else:
        whose = "content whose people are not known"
    ways = " and ".join(_WAYS.get(way, way) for way in sorted(tally.channels))
    if tally.classes:
        places = " and ".join(_PLACES.get(place, place) for place in sorted(tally.classes))
        verb = "tried to send" if tally.verdict == "blocked" else "sent"
        sentence = f"{who} {verb} {whose} to {places}{f' {ways}' if ways else ''}"
    else:
        sentence = f"{who} handled {whose}{f' {ways}' if ways else ''}"
    if correlation.timespan:
        sentence += f"; {threshold(correlation)}, seen {observed}"
    return f"{sentence}."


def _span(nanoseconds: int) -> str:
    seconds = nanoseconds // NANOSECONDS
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds % size == 0 and (unit != "d" or seconds > size):
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def _actor(tally: Tally) -> Actor:
    def part(name: str) -> str | None:
        value = first(tally.actor.get(f"outfall.actor.{name}"))
        return None if value is None else str(value)

    leaver = first(tally.actor.get("outfall.actor.leaver")) is True
    return Actor(id=part("id"), team=part("team"), role=part("role"), leaver=leaver)


def _evidence(tally: Tally, correlator: Correlator) -> list[Evidence]:
    records = sorted((correlator.evidence(event_id)["time"], event_id) for event_id in tally.evidence)
    listed = []
    for time, event_id in records:
        record = correlator.evidence(event_id)
        source, stream, offset, line = record["origin"]
        listed.append(
            Evidence(
                id=event_id,
                time=rfc3339(time),
                source=source,
                stream=stream,
                offset=offset,
                line=line,
                marks=record["marks"],
                fields=record["fields"],
            )
        )
    return listed
