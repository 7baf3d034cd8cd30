"""Rules of others, such as a checkout of SigmaHQ, taken into a rule book: which run here, and what they see.

A rule is taken over when it compiles exactly and a format gives its log source. Files go as they are, with
their authors and licences in them; SigmaHQ's are under the Detection Rule License.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from streams.detect.book import RuleBook
from streams.detect.fields import mapping_for
from streams.detect.ruleset import applies
from streams.errors import ConfigError
from streams.event import LogSource
from streams.rule import Rule
from streams.rulebook.atoms import atoms
from streams.rulebook.flowing import given_by

Status = Literal["taken", "unseen", "refused"]


@dataclass(frozen=True, slots=True)
class Line:
    """What became of a rule; `fields` gives for each of its detection the event's fields that it means."""

    status: Status
    path: str
    place: str
    rule: str | None
    title: str | None
    logsource: LogSource | None
    fields: dict[str, tuple[str, ...]]
    reason: str | None = None


def report(book: RuleBook, formats: Iterable[str]) -> list[Line]:
    """Say of each rule of a book whether events of these formats can be seen by it."""
    given = [source for name in formats for source in given_by(name) or ()]
    found = [
        Line("refused", one.place.path, str(one.place), None, None, None, {}, one.reason)
        for one in book.refused
    ]
    sees: dict[str, bool] = {}
    for detection in book.detections:
        rule = detection.rule
        sees[rule.id] = applies(rule.logsource, given)
        mapping = mapping_for(rule.logsource)
        names = {atom.field for atom in atoms(detection.condition) if atom.field is not None}
        fields = {name: mapping.names_for(name) for name in sorted(names)}
        found.append(_line(rule, sees[rule.id], fields))
    for correlation in book.correlations:
        sees[correlation.rule.id] = any(sees[rule] for rule in correlation.rules)
        found.append(_line(correlation.rule, sees[correlation.rule.id], {}))
    return sorted(found, key=lambda line: (line.path, line.place))


def _line(rule: Rule, seen: bool, fields: dict[str, tuple[str, ...]]) -> Line:
    reason = None if seen else "no format gives its log source"
    status: Status = "taken" if seen else "unseen"
    return Line(status, rule.place.path, str(rule.place), rule.id, rule.title, rule.logsource, fields, reason)


def take(lines: Iterable[Line], checkout: Path, into: Path) -> Iterator[Path]:
    """Copy each file of which a rule is taken and none is refused; give where they are.

    Raises:
        ConfigError: a file cannot be read or written.
    """
    lines = list(lines)
    refused = {line.path for line in lines if line.status == "refused"}
    paths = dict.fromkeys(
        Path(line.path) for line in lines if line.status == "taken" and line.path not in refused
    )
    base = checkout if checkout.is_dir() else checkout.parent
    try:
        for path in paths:
            to = into / path.relative_to(base)
            to.parent.mkdir(parents=True, exist_ok=True)
            to.write_bytes(path.read_bytes())
            yield to
    except OSError as error:
        raise ConfigError([f"{error.filename}: {error.strerror}"]) from None
