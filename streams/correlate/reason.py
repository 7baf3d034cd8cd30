"""The one sentence that says why an alert was raised: what on-call reads first."""

from __future__ import annotations

from streams.correlate.tally import Tally
from streams.event import NANOSECONDS, first
from streams.rule import Correlation, CorrelationType, Threshold

_SIGNS = {"lt": "<", "lte": "≤", "gt": ">", "gte": "≥", "eq": "=", "neq": "≠"}
_WAYS = {
    "email": "by e-mail",
    "web": "over the web",
    "share": "by a share",
    "case_system": "in the case system",
    "file": "in files",
}
"""What a channel is called; removable media, print and mail rules say it by where the content goes."""
_PLACES = {
    "self": "their own private address",
    "webmail": "a webmail address",
    "cloud_storage": "cloud storage",
    "paste": "a paste site",
    "removable": "removable media",
    "print": "paper",
    "partner": "a partner",
    "unknown_external": "an unknown place outside",
    "internal": "a place inside",
}
_COUNTED = {
    "outfall.subjects.id": "people",
    "outfall.subjects.outside_caseload": "people outside their caseload",
    "outfall.records.id": "records",
}


def reason(correlation: Correlation, tally: Tally, observed: float | None, left_out: int = 0) -> str:
    """Say who did what with whose data; counts and classes only, never a name or an address."""
    if correlation.rule.built_in:
        return f"{'; '.join(sorted(tally.failures))}."
    who = str(first(tally.actor.get("outfall.actor.id")) or "somebody unknown")
    if len(tally.actors) > 1:
        who = f"{len(tally.actors)} accounts together"
    if first(tally.actor.get("outfall.actor.leaver")) is True:
        who += ", who is leaving,"
    measure = _measure(correlation, observed) if correlation.timespan else ""
    if left_out:
        at_least = "at least " if measure and _only_grows(correlation) else ""
        events = "1 event was" if left_out == 1 else f"{left_out} events were"
        measure = f"{at_least}{measure}{measure and '; '}{events} left out at a limit"
    return f"{who} {_deed(tally)}{measure and '; '}{measure}."


def _only_grows(correlation: Correlation) -> bool:
    """Tell whether what is counted without some of the events is at most the truth."""
    counts = correlation.type in (CorrelationType.EVENT_COUNT, CorrelationType.VALUE_COUNT)
    condition = correlation.condition
    if not counts or not isinstance(condition, Threshold):
        return False
    return all(operator in ("gt", "gte") for operator, _ in condition.comparisons)


def threshold(correlation: Correlation) -> str:
    """Write a correlation's condition and timespan, as `value_count > 100 in 24h`."""
    condition, span = correlation.condition, _span(correlation.timespan)
    if not isinstance(condition, Threshold):
        return f"{correlation.type.value} in {span}"
    counted = f" of {len(correlation.rules)} rules" if _is_temporal(correlation) else ""
    return f"{correlation.type.value} {_limits(condition)}{counted} in {span}"


def _deed(tally: Tally) -> str:
    places = " and ".join(_PLACES.get(place, place) for place in sorted(tally.classes))
    if "mail_rule" in tally.egress_channels and not tally.people:
        return f"{'tried to have' if tally.verdict == 'blocked' else 'had'} mail forwarded to {places}"
    if tally.people:
        data = f" ({', '.join(sorted(tally.categories))})" if tally.categories else ""
        whose = f"data of {tally.people} {'person' if tally.people == 1 else 'people'}{data}"
    else:
        whose = "content about nobody known"
    if not tally.classes:
        return " ".join([f"handled {whose}", *_ways(tally.channels)])
    verb = "tried to send" if tally.verdict == "blocked" else "sent"
    return " ".join([f"{verb} {whose} to {places}", *_ways(tally.egress_channels)])


def _ways(channels: dict[str, None]) -> list[str]:
    ways = [_WAYS[channel] for channel in sorted(channels) if channel in _WAYS]
    return [" and ".join(ways)] if ways else []


def _measure(correlation: Correlation, observed: float | None) -> str:
    """Say what was seen beside what the rule allows; where steps are looked for, the title says which."""
    condition, span = correlation.condition, _span(correlation.timespan)
    if _is_temporal(correlation) or not isinstance(condition, Threshold):
        return ""
    seen = "nothing" if observed is None else f"{observed}"
    limit = f"the rule says {_limits(condition)}"
    if correlation.type is CorrelationType.VALUE_COUNT:
        counted = " and ".join(_COUNTED.get(name, f"values of {name}") for name in condition.fields)
        return f"{seen} {counted} in {span}, {limit}"
    if correlation.type is CorrelationType.EVENT_COUNT:
        return f"{seen} events in {span}, {limit}"
    of = f" of {' and '.join(condition.fields)}" if condition.fields else ""
    return f"{correlation.type.value}{of} {seen} in {span}, {limit}"


def _limits(condition: Threshold) -> str:
    return " and ".join(f"{_SIGNS[operator]} {number}" for operator, number in condition.comparisons)


def _is_temporal(correlation: Correlation) -> bool:
    return correlation.type in (CorrelationType.TEMPORAL, CorrelationType.TEMPORAL_ORDERED)


def _span(nanoseconds: int) -> str:
    seconds = nanoseconds // NANOSECONDS
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds % size == 0 and (unit != "d" or seconds > size):
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
