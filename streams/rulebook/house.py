"""The house rules: what a rule must say besides what it detects, so that somebody at night can act on it.

docs/rules.md has them in words. Each finding has the place of the key that it is about.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from streams.detect.book import RuleBook
from streams.detect.document import Document, RefusedError, decode, read
from streams.errors import ConfigError, Place
from streams.rule import Mandate, Rule
from streams.rulebook.attack import PREFIX, attack
from streams.rulebook.case import SUFFIX
from streams.rulebook.case import read as read_cases

CHECKS = {
    "refused": "A rule that cannot be run exactly is not run.",
    "unknown-field": "A field of ours that nothing sets never matches.",
    "unreachable": "A condition that contradicts itself never fires.",
    "expired": "An exception or a list that has expired does nothing any more.",
    "expiring": "An exception or a list that expires within 30 days: extend it, or take it out.",
    "unused-list": "A list that no rule refers to is not looked at.",
    "metadata": "Every document says title, id, name, status, description, author, date and level.",
    "id": "An id is a random UUID; one that is used twice is refused.",
    "file-name": "A file is called like its one alerting rule, and that like its title.",
    "analyst": "A rule that alerts says what to do: references, false positives, a runbook, and its evasion.",
    "attack": "Tags are of ATT&CK: a tactic, and techniques that serve one of those tactics.",
    "exception": "A filter is an exception: it has an owner, a reason and an expiry under outfall:.",
    "tests": "A test stands beside every rule, with a case in which it fires and two in which it does not.",
    "unused-rule": "A rule that does not alert serves one that does.",
    "unused-identifier": "Every search identifier is used by the condition.",
    "no-effect": "What outfall adds stands only where it has an effect.",
}
"""Each check by its name, and what it holds rules to."""
WARNINGS = frozenset({"expiring"})
"""The checks that only warn."""
LEAST_STEPS, LOOKALIKES = 3, 2
_NEEDED = ("title", "id", "name", "status", "description", "author", "date", "level")
_RANDOM = 4
_SHOW, _CLOSE = "`outfall alerts show ID`", "outfall alerts close ID"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found wrong, and where; `check` is one of `CHECKS`."""

    check: str
    place: Place
    message: str

    @property
    def warns(self) -> bool:
        """Whether it is no error yet."""
        return self.check in WARNINGS

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


def findings(book: RuleBook) -> list[Finding]:
    """Hold every rule of a book to the house rules; what does not compile is not looked at."""
    rules: dict[str, list[Rule]] = {}
    for rule in book.rules:
        rules.setdefault(rule.place.path, []).append(rule)
    serves = {one for correlation in book.correlations for one in correlation.rules}
    found: list[Finding] = []
    for path, mine in sorted(rules.items()):
        documents = {(one.at().line, one.at().column): one for one in _documents(Path(path))}
        placed = [(rule, documents.get((rule.place.line, rule.place.column))) for rule in mine]
        known = [(rule, document) for rule, document in placed if document is not None]
        for rule, document in known:
            found += _of_document(rule, document)
            if rule.mandate is not None:
                continue
            if rule.alerts:
                found += _of_alerting(rule, document)
            elif rule.id not in serves:
                reason = "it does not alert, and no correlation refers to it"
                found.append(Finding("unused-rule", rule.place, f"{rule.label}: {reason}"))
            elif "outfall" in document.content:
                reason = "outfall: has no effect in a rule that does not alert"
                found.append(Finding("no-effect", document.at("outfall"), f"{rule.label}: {reason}"))
        found += _of_file(
            Path(path), [pair for pair in known if pair[0].alerts or pair[0].mandate is not None]
        )
    found += [
        Finding("exception", rule.place, f"{rule.label}: it does not say {', '.join(Mandate.model_fields)}")
        for rule in book.filters
    ]
    return sorted(found, key=lambda one: (one.place.path, one.place.line, one.place.column, one.message))


def _documents(path: Path) -> list[Document]:
    try:
        return read(decode(path.read_bytes(), str(path)), str(path))[0]
    except (OSError, RefusedError):
        return []  # it was read a moment ago; what is wrong with it is told as refused


def _of_document(rule: Rule, document: Document) -> Iterator[Finding]:
    missing = [key for key in _NEEDED if not document.content.get(key)]
    if missing:
        yield Finding("metadata", rule.place, f"{rule.label}: it does not say {', '.join(missing)}")
    stated = document.content.get("id")
    if stated is not None and not _is_random(str(stated)):
        yield Finding("id", document.at("id"), f"{rule.label}: its id is no random UUID (version 4)")
    detection = document.content.get("detection")
    if isinstance(detection, Mapping):
        yield from _unused(rule, document, detection)


def _is_random(text: str) -> bool:
    try:
        return uuid.UUID(text).version == _RANDOM
    except ValueError:
        return False


def _unused(rule: Rule, document: Document, detection: Mapping[str, Any]) -> Iterator[Finding]:
    conditions = detection.get("condition")
    said = " ".join(map(str, conditions if isinstance(conditions, list) else [conditions]))
    words = re.findall(r"[\w*]+", said)
    patterns = [re.compile(re.escape(word).replace(r"\*", ".*")) for word in words]
    if "them" in words:
        return
    for name in detection:
        if name not in ("condition", "timeframe") and not any(one.fullmatch(name) for one in patterns):
            reason = f"its condition does not use {name}"
            yield Finding("unused-identifier", document.at("detection", name), f"{rule.label}: {reason}")


def _of_alerting(rule: Rule, document: Document) -> Iterator[Finding]:
    extras = rule.extras
    wrong = {
        "references": "it has no references" * (not rule.references),
        "falsepositives": "it names no false positives" * (not rule.falsepositives),
        "evasion": "it does not say how one would evade it" * (not extras.evasion),
        "runbook": _of_runbook(extras.runbook),
    }
    for key, reason in wrong.items():
        if reason:
            keys = ("outfall", key) if key in ("evasion", "runbook") else (key,)
            yield Finding("analyst", document.at(*keys), f"{rule.label}: {reason}")
    for reason in _of_tags(rule.tags):
        yield Finding("attack", document.at("tags"), f"{rule.label}: {reason}")


def _of_runbook(steps: list[str]) -> str:
    if len(steps) < LEAST_STEPS:
        return f"its runbook has fewer than {LEAST_STEPS} steps"
    if _SHOW not in steps[0]:
        return f"its runbook does not begin with {_SHOW}"
    return "" if any(_CLOSE in step for step in steps) else f"no step of its runbook says `{_CLOSE} …`"


def _of_tags(tags: tuple[str, ...]) -> Iterator[str]:
    known = attack()
    names = [tag.removeprefix(PREFIX) for tag in tags if tag.startswith(PREFIX)]
    tactics = {name for name in names if name in known.tactics}
    if not tactics:
        yield "its tags name no tactic of ATT&CK"
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"its tags name {name} twice"
    for name in names:
        technique = known.techniques.get(name.upper())
        if technique is None and name not in known.tactics:
            yield f"ATT&CK {known.version} has no tactic or technique {name}"
        elif technique is not None and tactics and tactics.isdisjoint(technique.tactics):
            served = " or ".join(technique.tactics)
            yield f"{technique.id} ({technique.name}) serves {served}, which the tags do not name"


def _of_file(path: Path, alerting: list[tuple[Rule, Document]]) -> Iterator[Finding]:
    yield from _of_tests(path)
    if len(alerting) != 1:
        names = ", ".join(rule.label for rule, _ in alerting) or "none"
        yield Finding("file-name", Place(str(path)), f"one rule of a file alerts; here: {names}")
        return
    rule, document = alerting[0]
    if rule.name != path.stem:
        reason = f"its file is called {path.name}, not {rule.name}.yml"
        yield Finding("file-name", document.at("name"), f"{rule.label}: {reason}")
    if rule.name != slug(rule.title):
        reason = f"by its title its name is {slug(rule.title)}"
        yield Finding("file-name", document.at("name"), f"{rule.label}: {reason}")


def _of_tests(path: Path) -> Iterator[Finding]:
    test = path.with_name(path.stem + SUFFIX)
    if not test.is_file():
        yield Finding("tests", Place(str(path)), f"there is no {test.name} beside it")
        return
    try:
        cases = read_cases(test)
    except ConfigError as error:
        for problem in error.problems:
            yield Finding("tests", Place(str(test)), problem.removeprefix(f"{test}:"))
        return
    firing = sum(any(path.stem in (one.rule, *one.suppressed_by) for one in case.expect) for case in cases)
    if not firing or len(cases) - firing < LOOKALIKES:
        counts = f"{firing} cases in which it fires and {len(cases) - firing} in which it does not"
        yield Finding("tests", Place(str(test)), f"{counts}: at least 1 and {LOOKALIKES} are needed")


def slug(title: str) -> str:
    """Give the name that a title has: in small letters, with underscores."""
    return re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")
