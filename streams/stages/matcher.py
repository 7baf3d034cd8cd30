"""The step between reading and correlating: which rules are true of which events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from streams.detect.ruleset import RuleSet
from streams.event import Event, excepted
from streams.rule import Match, Rule, RuleFailure
from streams.stages.built_in import RULE_FAILED, failed
from streams.stages.reader import Known


@dataclass(frozen=True, slots=True)
class Matched:
    """What was true of a batch of events: `rules` by event, and as `matches` those that are reported.

    `failures` are the rules that raised on an event, `failed` the events that the alert about it rests on.
    """

    rules: list[list[Rule]]
    matches: list[Match]
    failures: list[RuleFailure]
    failed: list[tuple[Event, list[Rule]]]
    tried: int


def match(rules: RuleSet, events: Sequence[Event], known: Sequence[Known | None] = ()) -> Matched:
    """Try the rules on a batch of events, but for those of which it is `known` which are true."""
    tried = {index: one for index, one in enumerate(known) if one is not None and one.tried}
    untried = [index for index in range(len(events)) if index not in tried]
    before = rules.tried
    matches, failures = rules.match([events[index] for index in untried])
    by_event: list[list[Rule]] = [[] for _ in events]
    for found in matches:
        by_event[untried[found.event]].append(found.rule)
    for index, one in tried.items():
        by_event[index] += map(rules.rule, one.rules or ())
        failures += [RuleFailure(rules.rule(name), events[index].id, why) for name, why in one.failures]
    matches = [Match(index, rule) for index, some in enumerate(by_event) for rule in some if rule.written]
    failures = [one for one in failures if not one.rule.without]
    for event, some in zip(events, by_event, strict=True):
        if len(some) > 1:
            _mark(event, some)
    by_id = {event.id: event for event in events} if failures else {}
    about = [(failed(failure, by_id[str(failure.event)]), [RULE_FAILED]) for failure in failures]
    return Matched(by_event, matches, failures, about, rules.tried - before)


def _mark(event: Event, rules: Sequence[Rule]) -> None:
    """Mark an event with the exceptions that cover it, and the rules but for which they would be true."""
    exceptions = {rule.label for rule in rules if rule.mandate is not None}
    if exceptions:
        marks = (excepted(*pair) for rule in rules for pair in rule.without if pair[0] in exceptions)
        event.marks = tuple(dict.fromkeys((*event.marks, *marks)))
