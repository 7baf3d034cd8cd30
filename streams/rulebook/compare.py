"""Holds the alerts that there were against those that a case expects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from streams.alert import Alert
from streams.rulebook.case import Case, Expected


def compare(case: Case, fired: Sequence[Alert], explained: Mapping[str, str]) -> list[str]:
    """Say what differs; `explained` says for a rule's name how often what it rests on matched."""
    left = [*fired]
    open_: list[Expected] = []
    for expected in case.expect:
        exact = next((alert for alert in left if not _differences(expected, alert)), None)
        if exact is None:
            open_.append(expected)
        else:
            left.remove(exact)
    problems: list[str] = []
    for expected in open_:
        close = next((alert for alert in left if label(alert) == expected.rule), None)
        if close is None:
            why = explained.get(expected.rule, "there is no such rule")
            problems.append(f"{expected.rule}: expected an alert, saw none ({why})")
        else:
            left.remove(close)
            problems += [f"{expected.rule}: {text}" for text in _differences(expected, close)]
    problems += [f"{label(alert)}: expected no {_kind(alert)}, saw one: {alert.reason}" for alert in left]
    pages = sum(alert.pages for alert in fired)
    if case.pages is not None and pages != case.pages:
        problems.append(f"expected {case.pages} pages in all, saw {pages}")
    return problems


def _differences(expected: Expected, alert: Alert) -> list[str]:
    if label(alert) != expected.rule:
        return ["another rule"]
    pairs = [
        ("group", expected.group, alert.group),
        ("observed", expected.observed, alert.observed),
        ("people", expected.people, alert.exposure.people),
        ("severity", expected.severity, alert.severity),
        ("pages", expected.pages, alert.pages),
        ("last", expected.last, alert.last),
    ]
    found = [f"expected {name} {want}, saw {have}" for name, want, have in pairs if want not in (None, have)]
    if sorted(expected.suppressed_by) != sorted(alert.suppressed_by):
        told = ", ".join(alert.suppressed_by) or "none"
        found.append(f"expected suppressed_by {', '.join(expected.suppressed_by) or 'none'}, saw {told}")
    if expected.reason is not None and expected.reason not in alert.reason:
        found.append(f"expected {expected.reason!r} in the reason, saw {alert.reason!r}")
    return found


def _kind(alert: Alert) -> str:
    by = ", ".join(alert.suppressed_by)
    return f"alert that is suppressed by {by}" if by else "alert"


def label(alert: Alert) -> str:
    """Give what a report calls the alert's rule."""
    return alert.rule.name or alert.rule.id
