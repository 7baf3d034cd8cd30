"""Makes an alert revision of an episode: the sums, the one-sentence reason, the ordered evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from streams.alert import Actor, Alert, AlertRule, Evidence
from streams.correlate.correlator import Correlator
from streams.correlate.firing import Changed
from streams.correlate.reason import reason, threshold
from streams.correlate.severity import SeverityTable
from streams.correlate.tally import Tally
from streams.event import excepted, first, rfc3339
from streams.rule import Rule


@dataclass(frozen=True, slots=True)
class Edition:
    """What runs: the hash of the rule book, its git commit if it has one, the configuration's hash.

    `bundle` is the id of the rule bundle, where the rules came as one.
    """

    version: str
    revision: str | None = None
    configuration: str | None = None
    bundle: str | None = None


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

    Of a shadow there is one only where an exception covers an event of it: else the rule itself has it.
    Takes note of the revision in the episode. `detected` is processing time, `freshness` the event time of
    the newest event of each source, both in nanoseconds.
    """
    track, episode = change.track, change.episode
    rule, tally = track.correlation.rule, episode.tally
    listed = _evidence(tally, correlator)
    suppressed_by = _suppressed_by(rule, listed)
    if rule.without and not suppressed_by and not episode.revision:
        return None
    grade = severity.severity(rule, tally)
    observed, firings = track.summary(episode)
    alert = Alert(
        id=episode.id,
        revision=episode.revision + 1,
        status=episode.status,
        superseded_by=episode.superseded_by,
        rule=AlertRule(
            id=rule.base_id,
            name=rule.name,
            title=rule.title,
            level=rule.level,
            place=str(rule.place),
            version=edition.version,
            revision=edition.revision,
            configuration=edition.configuration,
            bundle=edition.bundle,
            tags=list(rule.tags),
            runbook=rule.extras.runbook,
            falsepositives=list(rule.falsepositives),
        ),
        group=track.group if episode.group is None else episode.group,
        reason=reason(track.correlation, tally, observed, episode.left_out) + _but(suppressed_by),
        severity=grade,
        tier=severity.tier(tally.people),
        page=episode.page_now,
        pages=episode.pages,
        paged_tier=episode.paged if episode.pages else None,
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
        suppressed_by=suppressed_by,
        left_out=episode.left_out,
        evidence=listed,
        detected=None if detected is None else rfc3339(detected),
        freshness={source: rfc3339(time) for source, time in sorted(freshness.items())},
    )
    digest = alert.digest()
    if digest == episode.digest and not episode.page_now:
        return None
    episode.digest, episode.revision, episode.page_now = digest, alert.revision, False
    episode.told = firings
    return alert


def _actor(tally: Tally) -> Actor:
    def part(name: str) -> str | None:
        value = first(tally.actor.get(f"outfall.actor.{name}"))
        return None if value is None else str(value)

    leaver = first(tally.actor.get("outfall.actor.leaver")) is True
    several = sorted(tally.actors) if len(tally.actors) > 1 else []
    return Actor(id=part("id"), several=several, team=part("team"), role=part("role"), leaver=leaver)


def _suppressed_by(rule: Rule, evidence: list[Evidence]) -> list[str]:
    """Give the exceptions of a rule that cover an event of its shadow."""
    marks = {mark for each in evidence for mark in each.marks} if rule.without else set()
    return sorted({exception for exception, of in rule.without if excepted(exception, of) in marks})


def _but(suppressed_by: list[str]) -> str:
    return f" Suppressed by the exception {' and '.join(suppressed_by)}." if suppressed_by else ""


def _evidence(tally: Tally, correlator: Correlator) -> list[Evidence]:
    records = [(event_id, correlator.evidence.record(event_id)) for event_id in tally.evidence]
    records.sort(key=lambda pair: (pair[1]["time"], pair[0]))
    listed = []
    for event_id, record in records:
        source, stream, offset, line = record["origin"]
        listed.append(
            Evidence(
                id=event_id,
                time=rfc3339(record["time"]),
                source=source,
                stream=stream,
                offset=offset,
                line=line,
                marks=record["marks"],
                fields=record["fields"],
            )
        )
    return listed
