"""Which log sources the events of a format are of, so that it can be told which rules have nothing to see."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product

from streams.detect.book import RuleBook
from streams.detect.ruleset import applies
from streams.event import LogSource
from streams.normalise.windows_tables import CATEGORIES, SERVICES
from streams.rule import CorrelationType, Rule, Threshold

_STEPS = (CorrelationType.TEMPORAL, CorrelationType.TEMPORAL_ORDERED)


def _ours(*channels: str) -> list[LogSource]:
    """Give what enrichment adds: each channel; `egress` where something can leave by it."""
    return [LogSource(channel, "outfall") for channel in channels]


_M365 = ("audit", "exchange", "threat_management", "threat_detection")
_WINDOWS = [LogSource(category, "windows", service) for category, service in product(CATEGORIES, SERVICES)]
_PROXY = _ours("web", "egress")
_OF: dict[str, list[LogSource]] = {
    "case_system": [LogSource("case_system", "case_system"), *_ours("case_system")],
    "google_drive": [LogSource(None, "google_workspace", "drive"), *_ours("file", "share", "egress")],
    "message_trace": [LogSource("email", "m365", "message_trace"), *_ours("email", "egress")],
    "o365_audit": [
        *(LogSource(None, "m365", service) for service in _M365),
        *_ours("email", "file", "share", "mail_rule", "egress"),
    ],
    "postfix": [
        LogSource("email", "postfix", "message"),
        LogSource(None, "postfix", "line"),
        *_ours("email", "egress"),
    ],
    "proxysg": [LogSource("proxy", "bluecoat"), *_PROXY],
    "squid": [LogSource("proxy", "squid"), *_PROXY],
    "squid_extended": [LogSource("proxy", "squid"), *_PROXY],
    "windows_event": [*_WINDOWS, *_ours("file", "print", "removable", "egress")],
    "zscaler_web": [LogSource("proxy", "zscaler"), *_PROXY],
}


def given_by(format_name: str) -> list[LogSource] | None:
    """Give the log sources that events of a format can be of; None where its documents may state any."""
    return _OF.get(format_name)


def blind(book: RuleBook, formats: Iterable[str]) -> list[Rule]:
    """Give the alerting rules that nothing of these formats can make fire.

    A rule needs an event of its log source; a correlation any of those that it refers to, one in steps all.
    """
    given: list[LogSource] = []
    for name in formats:
        found = given_by(name)
        if found is None:
            return []
        given += found
    sees = {one.rule.id: applies(one.rule.logsource, given) for one in book.detections}
    for correlation in book.correlations:
        together = all if correlation.type in _STEPS and isinstance(correlation.condition, Threshold) else any
        sees[correlation.rule.id] = together(sees[rule] for rule in correlation.rules)
    return [rule for rule in book.rules if rule.alerts and not sees[rule.id]]
