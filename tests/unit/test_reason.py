"""The sentence of an alert: who, what, whose, where to, and what the rule says; nobody's name or address."""

from __future__ import annotations

import pytest

from streams.correlate.reason import reason, threshold
from streams.correlate.tally import Tally
from streams.errors import Place
from streams.event import Scalar
from streams.rule import BUILT_IN, Correlation, CorrelationType, Expression, Rule, Threshold

HOUR = 3600 * 1_000_000_000
RULE = Rule("r", "r", "r", Place("r.yml"), alerts=True)


def egress(
    channel: str, where: str, people: int, **more: Scalar | list[Scalar]
) -> dict[str, Scalar | list[Scalar]]:
    return {
        "outfall.actor.id": "jsmith",
        "outfall.channel": channel,
        "outfall.egress": True,
        "outfall.destination.class": where,
        "outfall.destination.name": ["jo@example.org"],
        "outfall.subjects.id": [f"k1:{number}" for number in range(people)],
        "outfall.data.category": ["care"] if people else [],
    } | more


def tally(*events: dict[str, Scalar | list[Scalar]]) -> Tally:
    made = Tally()
    for number, fields in enumerate(events):
        made.add(str(number), fields)
    return made


def counted(field: str, number: int, timespan: int = 24 * HOUR) -> Correlation:
    return Correlation(RULE, CorrelationType.VALUE_COUNT, ("x",), timespan, Threshold("gt", number, (field,)))


RANGE = Correlation(RULE, CorrelationType.EVENT_COUNT, ("x",), HOUR, Threshold("gt", 100, upper=("lte", 200)))
PLAIN = Correlation(RULE, CorrelationType.EVENT_COUNT, ("r",), 0, Threshold("gte", 1))
ORDERED = Correlation(RULE, CorrelationType.TEMPORAL_ORDERED, ("x", "y", "z"), 4 * HOUR, Threshold("gte", 3))
BOTH = Correlation(
    RULE, CorrelationType.TEMPORAL, ("x", "y"), 90 * 60 * 1_000_000_000, Expression("rule", "x")
)


@pytest.mark.parametrize(
    ("correlation", "events", "observed", "expected"),
    [
        (
            counted("outfall.subjects.id", 100),
            [egress("email", "self", 400)],
            400,
            (
                "jsmith sent data of 400 people (care) to their own private address by e-mail;"
                " 400 people in 24h, the rule says > 100."
            ),
        ),
        (
            counted("outfall.subjects.outside_caseload", 40),
            [
                {
                    "outfall.actor.id": "jsmith",
                    "outfall.channel": "case_system",
                    "outfall.subjects.id": ["k1:1"],
                }
            ],
            381,
            (
                "jsmith handled data of 1 person in the case system;"
                " 381 people outside their caseload in 24h, the rule says > 40."
            ),
        ),
        (
            PLAIN,
            [egress("removable", "removable", 2, **{"outfall.actor.leaver": True})],
            1,
            "jsmith, who is leaving, sent data of 2 people (care) to removable media.",
        ),
        (PLAIN, [egress("mail_rule", "webmail", 0)], 1, "jsmith had mail forwarded to a webmail address."),
        (
            ORDERED,
            [
                {"outfall.channel": "file"},
                egress("web", "cloud_storage", 3, **{"outfall.verdict": "blocked"}),
            ],
            3,
            "jsmith tried to send data of 3 people (care) to cloud storage over the web.",
        ),
        (
            BOTH,
            [{}],
            2,
            "somebody unknown handled content about nobody known.",
        ),
    ],
)
def test_the_sentence(
    correlation: Correlation, events: list[dict[str, Scalar | list[Scalar]]], observed: int, expected: str
) -> None:
    said = reason(correlation, tally(*events), observed)
    assert said == expected
    assert "jo@example.org" not in said


@pytest.mark.parametrize(
    ("correlation", "expected"),
    [
        (counted("outfall.subjects.id", 100), "value_count > 100 in 24h"),
        (counted("outfall.subjects.id", 200, 30 * 24 * HOUR), "value_count > 200 in 30d"),
        (RANGE, "event_count > 100 and ≤ 200 in 1h"),
        (ORDERED, "temporal_ordered ≥ 3 of 3 rules in 4h"),
        (BOTH, "temporal in 90m"),
    ],
)
def test_the_threshold(correlation: Correlation, expected: str) -> None:
    assert threshold(correlation) == expected


def test_what_several_did_together_is_nobodys_alone() -> None:
    three = tally(
        *(egress("email", "webmail", 30, **{"outfall.actor.id": who}) for who in ("ann", "bob", "cy"))
    )
    said = reason(counted("outfall.subjects.id", 10), three, 30)
    assert said.startswith(
        "3 accounts together sent data of 30 people (care) to a webmail address by e-mail;"
    )
    assert three.actor == {}
    assert sorted(three.actors) == ["ann", "bob", "cy"]


@pytest.mark.parametrize(
    ("correlation", "at_least"),
    [
        (counted("outfall.subjects.id", 10), True),
        (RANGE, False),
        (Correlation(RULE, CorrelationType.VALUE_AVG, ("x",), HOUR, Threshold("gt", 1, ("n",))), False),
        (Correlation(RULE, CorrelationType.EVENT_COUNT, ("x",), HOUR, Threshold("eq", 10)), False),
    ],
)
def test_what_was_left_out_at_a_limit_is_said(correlation: Correlation, at_least: bool) -> None:
    said = reason(correlation, tally(egress("email", "webmail", 30)), 10, 5)
    assert said.endswith("; 5 events were left out at a limit.")
    assert ("at least" in said) is at_least


def test_the_programs_own_alerts_say_what_failed_and_where() -> None:
    own = Rule("x", "x", "x", Place(BUILT_IN), alerts=True)
    made = tally({"outfall.rule.place": "a.yml:1:1", "outfall.rule.failure": "limits.values is reached"})
    said = reason(Correlation(own, CorrelationType.EVENT_COUNT, ("x",), 0, Threshold("gte", 1)), made, 1)
    assert said == "a.yml:1:1: limits.values is reached."
