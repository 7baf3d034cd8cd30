"""A page for each rule that alerts, in Markdown: what it looks for, how grave that is, what to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from streams.correlate.reason import threshold
from streams.correlate.severity import SeverityTable
from streams.detect.book import Detection, RuleBook
from streams.detect.tree import And, Node, Not, Or, Text
from streams.detect.words import words
from streams.errors import ConfigError
from streams.rule import Correlation, Expression, Rule
from streams.rulebook.attack import techniques
from streams.rulebook.case import SUFFIX, Case, read

_ANY = ("contact",)
"""The data that a rule is taken to be about in its table, where it asks for none."""
_OUTSIDE = ("unknown_external",)
CATEGORY, CLASS = "outfall.data.category", "outfall.destination.class"


@dataclass(frozen=True, slots=True)
class _Harm:
    """See `severity.Harm`."""

    people: int
    categories: Sequence[str]
    vulnerable: bool
    classes: Sequence[str]
    verdict: str | None = "allowed"


def pages(book: RuleBook, severity: SeverityTable) -> dict[str, str]:
    """Give the pages of a book by their files' names; `README.md` lists them.

    Raises:
        ConfigError: a test beside a rule cannot be read.
    """
    alerting = sorted((rule for rule in book.rules if rule.alerts), key=lambda rule: rule.label)
    found = {f"{_file(rule)}.md": _joined(_page(rule, book, severity)) for rule in alerting}
    found["README.md"] = _joined(_index(alerting, book))
    return found


def _file(rule: Rule) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in rule.label)


def _joined(lines: Iterator[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _index(alerting: Sequence[Rule], book: RuleBook) -> Iterator[str]:
    yield "# The rule book\n"
    yield f"{len(alerting)} rules alert. Rule book `{book.hash[:16]}`.\n"
    yield "| rule | what | ATT&CK | pages |\n|---|---|---|---|"
    for rule in alerting:
        names = " ".join(one.id for one in techniques(rule.tags))
        pages_too = "may page" if rule.extras.page else "ticket"
        yield f"| [{rule.label}]({_file(rule)}.md) | {_cell(rule.title)} | {names} | {pages_too} |"


def _page(rule: Rule, book: RuleBook, severity: SeverityTable) -> Iterator[str]:
    bare = {
        one.rule.base_id: replace(one, rule=replace(one.rule, id=one.rule.base_id))
        for one in book.shadow_detections
    }
    ids = _below(rule, book)
    detections = [bare.get(one.rule.id, one) for one in book.detections if one.rule.id in ids]
    yield f"# {rule.title}\n"
    if rule.description:
        yield f"{rule.description.strip()}\n"
    yield "| | |\n|---|---|"
    for name, value in _facts(rule, detections):
        yield f"| {name} | {value} |"
    yield "\n## What it looks for\n"
    yield from _looks_for(rule, book, detections)
    yield "\n## How grave it is\n"
    yield from _tiers(rule, detections, severity)
    yield from _listed("What to do", rule.extras.runbook, numbered=True)
    yield from _listed("False positives", rule.falsepositives)
    yield from _listed("How one would evade it", [rule.extras.evasion] if rule.extras.evasion else [])
    yield from _exceptions(rule, book)
    yield from _tests(rule)
    yield from _listed("References", rule.references)


def _facts(rule: Rule, detections: Sequence[Detection]) -> Iterator[tuple[str, str]]:
    yield "name", f"`{rule.label}`"
    yield "id", f"`{rule.id}`"
    for one in techniques(rule.tags):
        where = one.id.replace(".", "/")
        yield "ATT&CK", f"[{one.id}](https://attack.mitre.org/techniques/{where}/) {one.name}"
    sources = {str(_source(one)): None for one in detections}
    yield "log sources", "; ".join(sources)
    yield "categories of data", ", ".join(_asked(detections, CATEGORY)) or "any"
    yield "destinations", ", ".join(_asked(detections, CLASS)) or "any"
    yield "page", "may page" if rule.extras.page else "never pages: a ticket"


def _source(detection: Detection) -> str:
    source = detection.rule.logsource
    parts = {} if source is None else source._asdict()
    return ", ".join(f"{name} {value}" for name, value in parts.items() if value is not None)


def _asked(detections: Sequence[Detection], field: str) -> list[str]:
    """Give the values of a field that conditions ask for."""
    found: dict[str, None] = {}
    for detection in detections:
        for atom in _wanted(detection.condition):
            if isinstance(atom, Text) and atom.field == field:
                found.update((part, None) for part in atom.pattern if isinstance(part, str))
    return [*found]


def _wanted(node: Node) -> Iterator[Node]:
    """Give the atoms of a condition that are not under a `not`."""
    if isinstance(node, And | Or):
        for part in node.parts:
            yield from _wanted(part)
    elif not isinstance(node, Not):
        yield node


def _below(rule: Rule, book: RuleBook) -> set[str]:
    below = {one.rule.id: one.rules for one in book.correlations}
    found: set[str] = set()
    waiting = [rule.id]
    while waiting:
        current = waiting.pop()
        found.add(current)
        waiting += below.get(current, ())
    return found


def _looks_for(rule: Rule, book: RuleBook, detections: Sequence[Detection]) -> Iterator[str]:
    labels = {one.id: one.label for one in book.rules}
    ids = _below(rule, book)
    for correlation in reversed([one for one in book.correlations if one.rule.id in ids]):
        yield f"**{correlation.rule.title}** (`{correlation.rule.label}`): {_said(correlation, labels)}\n"
    for detection in detections:
        yield f"**{detection.rule.title}** (`{detection.rule.label}`), of {_source(detection)}:\n"
        yield from _tree(detection.condition, 0)
        yield ""


def _said(correlation: Correlation, labels: dict[str, str]) -> str:
    condition = correlation.condition
    if isinstance(condition, Expression):
        what = f"{correlation.type.value}: {_expression(condition, labels)}, in {threshold(correlation)}"
    else:
        counted = f" of {', '.join(f'`{name}`' for name in condition.fields)}" if condition.fields else ""
        what = f"{threshold(correlation)}{counted}"
    group = ", ".join(f"`{name}`" for name in correlation.group_by)
    over = ", ".join(f"`{labels[one]}`" for one in correlation.rules)
    return f"{what}, over {over}" + (f", for each {group}" if group else "")


def _expression(one: Expression, labels: dict[str, str]) -> str:
    if one.rule is not None:
        return f"`{labels[one.rule]}`"
    parts = [_expression(each, labels) for each in one.operands]
    return f"not {parts[0]}" if one.operator == "not" else f"({f' {one.operator} '.join(parts)})"


def _tree(node: Node, depth: int) -> Iterator[str]:
    match node:
        case And() | Or():
            yield f"{'  ' * depth}- {'all of' if isinstance(node, And) else 'any of'}"
            for part in node.parts:
                yield from _tree(part, depth + 1)
        case Not():
            yield f"{'  ' * depth}- not"
            yield from _tree(node.part, depth + 1)
        case _:
            yield f"{'  ' * depth}- {_cell(words(node))}"


def _tiers(rule: Rule, detections: Sequence[Detection], table: SeverityTable) -> Iterator[str]:
    """Give the severities of the table for what the rule is about, by people."""
    categories = _asked(detections, CATEGORY) or [*_ANY]
    classes = _asked(detections, CLASS) or [*_OUTSIDE]
    what = f"data ({', '.join(categories)}) that goes out ({', '.join(classes)})"
    yield f"For {what}, and is let through:\n"
    yield "| people | severity | if they are vulnerable | page |\n|---|---|---|---|"
    none = _Harm(0, [], vulnerable=False, classes=classes)
    grade = table.severity(rule, none)
    yield f"| nobody known | {grade} | {grade} | {_may_page(table, rule, grade)} |"
    for people in sorted(table.people):
        grades = [
            table.severity(rule, _Harm(people, categories, vulnerable, classes))
            for vulnerable in (False, True)
        ]
        yield f"| {people} or more | {grades[0]} | {grades[1]} | {_may_page(table, rule, *grades)} |"


def _may_page(table: SeverityTable, rule: Rule, *grades: str) -> str:
    told = [table.pages(rule, grade) for grade in grades]
    return "yes" if all(told) else "if they are vulnerable" if any(told) else "no"


def _listed(title: str, lines: Sequence[str], *, numbered: bool = False) -> Iterator[str]:
    if lines:
        yield f"\n## {title}\n"
    for number, line in enumerate(lines, 1):
        yield f"{f'{number}.' if numbered else '-'} {' '.join(line.split())}"


def _exceptions(rule: Rule, book: RuleBook) -> Iterator[str]:
    shadows = [*(one.rule for one in book.shadow_detections), *(one.rule for one in book.shadow_correlations)]
    names = {name for one in shadows if one.base_id == rule.id for name, _ in one.without}
    lines = [
        _cell(f"`{name}`, until {mandate.expires}, by {mandate.owner}: {mandate.reason}")
        for _, name, _, mandate in book.mandates
        if name in names
    ]
    yield from _listed("Exceptions", lines)


def _tests(rule: Rule) -> Iterator[str]:
    path = Path(rule.place.path)
    test = path.with_name(path.stem + SUFFIX)
    cases: list[Case] = read(test) if test.is_file() else []
    lines = [
        f"{'fires' if any(one.rule == rule.name for one in case.expect) else 'does not fire'}: {case.name}"
        for case in cases
    ]
    yield from _listed("How it is tested", lines)


def _cell(text: str) -> str:
    """Make text harmless to Markdown's tables and lists."""
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("*", "\\*").replace("<", "&lt;")


def write(found: dict[str, str], folder: Path) -> None:
    """Write pages into a folder.

    Raises:
        ConfigError: it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in found.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError([f"{error.filename}: {error.strerror}"]) from None
