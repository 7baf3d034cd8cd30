"""What `outfall rules explain` does, apart from its options: imported only when it runs."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

from rich.console import Console

from streams.cli import exits
from streams.cli.complaints import say_problems, standard_error
from streams.cli.explaining import Told, show_json, show_tree
from streams.detect.book import Detection, RuleBook
from streams.detect.explain import explain
from streams.detect.fields import mapping_for
from streams.detect.load import load
from streams.detect.metadata import identity_key
from streams.detect.ruleset import applies
from streams.enrich import Enricher
from streams.enrich.load import load as load_enrichment
from streams.errors import ConfigError, Ignored, RecordError
from streams.event import Event, Origin, RawRecord
from streams.normalise import FORMATS, normalise
from streams.normalise.base import MAX_BYTES, Context
from streams.rule import Rule
from streams.rulebook.runner import TEST_KEY
from streams.runtime.cache import user_cache
from streams.runtime.lines import read_lines


def run(rule: str, file: str, rules: Sequence[Path]) -> int:
    """Explain, print, and give the exit status."""
    errors = standard_error()
    show = show_tree if sys.stdout.isatty() else show_json
    failed = rejected = False
    with ExitStack() as stack:
        try:
            book = load(rules, user_cache())
            chosen, detections = _chosen(book, rule)
            stream = sys.stdin.buffer if file == "-" else stack.enter_context(_open(file))
        except ConfigError as error:
            say_problems(errors, error)
            return exits.USAGE
        if len(detections) > 1 or detections[0].rule.id != chosen.id:
            names = ", ".join(one.rule.label for one in detections)
            errors.print(f"{chosen.label} is a correlation; it rests on {names}", markup=False)
        for line, event in _events(stream, errors):
            if event is None:
                rejected = True
                continue
            for one in detections:
                wanted = one.rule.logsource
                condition = explain(one.condition, event, mapping_for(wanted))
                show(Told(line, event, one, applies(wanted, event.logsources), condition))
                failed = failed or condition.true is None
    return exits.FINDINGS if failed else exits.REJECTED if rejected else exits.DONE


def _chosen(book: RuleBook, name: str) -> tuple[Rule, list[Detection]]:
    """Give the rule that an id or a name means, and the detections that it rests on, or is."""
    key = identity_key(name)
    rule = next((one for one in book.rules if key in (identity_key(one.id), one.name)), None)
    if rule is None:
        refused = "".join(f"; refused: {one}" for one in book.refused[:1])
        raise ConfigError([f"there is no rule with the id or name {name!r}{refused}"])
    below = {one.rule.id: one.rules for one in book.correlations}
    wanted, waiting = set(), [rule.id]
    while waiting:
        current = waiting.pop()
        waiting += below.get(current, ())
        wanted.add(current)
    return rule, [one for one in book.detections if one.rule.id in wanted]


def _open(name: str) -> BinaryIO:
    try:
        return Path(name).open("rb")
    except OSError as error:
        raise ConfigError([f"{name}: {error.strerror}"]) from None


def _events(stream: BinaryIO, errors: Console) -> Iterator[tuple[int, Event | None]]:
    """Give the events as the rules see them; None, and a word about it, for what is none."""
    enricher = Enricher(load_enrichment(None, key=TEST_KEY))
    context = Context(received=time.time_ns())
    for line in read_lines(stream, MAX_BYTES):
        if not line.data.strip():
            continue
        record = RawRecord(line.data, Origin("explain", "-", line.offset, line.number))
        try:
            event = normalise(record, FORMATS["ecs"], context, require_time=False)
        except (RecordError, Ignored) as error:
            errors.print(f"line {line.number}: {error}", markup=False)
            yield line.number, None
            continue
        enricher.describe(event)
        enricher.conclude(event)
        yield line.number, event
