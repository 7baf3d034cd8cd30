"""The rules that the program itself alerts by, and the events behind them."""

from __future__ import annotations

import hashlib

from streams.correlate.limiter import LimitReached
from streams.errors import Place
from streams.event import Event
from streams.rule import BUILT_IN, Extras, Rule, RuleFailure

RULE_FAILED = Rule(
    id="outfall-rule-failed",
    name="rule_failed",
    title="A rule failed on an event",
    place=Place(BUILT_IN),
    alerts=True,
    level="medium",
    extras=Extras(
        group_by=["outfall.rule.id"],
        page=False,
        runbook=[
            "Run `outfall rules check` on the rule: it says on how long a text its expression may be tried.",
            "Write the expression so that RE2 can run it (no look-around, no back-references), or bound it.",
            "Run the rule over the records of the evidence with `outfall match --explain`.",
        ],
    ),
)
"""The operational alert that a crashing rule raises: it must not pass for a quiet one."""

LIMIT_REACHED = Rule(
    id="outfall-limit-reached",
    name="limit_reached",
    title="A limit keeps events out of a correlation",
    place=Place(BUILT_IN),
    alerts=True,
    level="high",
    extras=Extras(
        group_by=["outfall.rule.id"],
        page=False,
        runbook=[
            "See in the evidence since when events are left out, and look at the rule's own alerts.",
            "Ask whether somebody floods the log; what the rule counts from now on is too little.",
            "Narrow the rule, or raise the limit under `limits` in the configuration.",
        ],
    ),
)
"""The operational alert that a full window raises: that nothing more fires there must not pass for peace."""


def failed(failure: RuleFailure, event: Event) -> Event:
    """Make the event that the operational alert about a failing rule rests on."""
    return Event(
        id=hashlib.sha256(f"{failure.rule.id}\x1f{event.id}".encode("utf-8", "surrogatepass")).hexdigest(),
        time=event.time,
        fields={
            "event.action": "rule_failed",
            "outfall.rule.id": failure.rule.id,
            "outfall.rule.place": str(failure.rule.place),
            "outfall.rule.failure": failure.reason,
        },
        origin=event.origin,
    )


def limited(reached: LimitReached) -> Event:
    """Make the event that the operational alert about a limit rests on."""
    return Event(
        id=reached.id,
        time=reached.hour,
        fields={
            "event.action": "limit_reached",
            "outfall.rule.id": reached.rule.id,
            "outfall.rule.place": str(reached.rule.place),
            "outfall.rule.failure": f"{reached.limit} is reached, further events are left out",
        },
        origin=reached.event.origin,
    )
