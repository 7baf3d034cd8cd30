"""Whose data an event is about: raw ids become pseudonyms here and go no further.

Ids come from what a source states (`outfall.raw.*`) and from configured patterns over the event's fields.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import unquote_plus

from stdnum.gb import nhs

from streams.enrich.marks import PATTERNS_SEARCHED_PART, mark
from streams.enrich.national_insurance import is_national_insurance
from streams.enrich.pseudonym import Pseudonymiser, is_pseudonym, normalise_id
from streams.event import Event, Fields, Scalar, Value, first, strings
from streams.memo import remembered
from streams.safe_regex import Search

MAX_SEARCHED = 16_384
"""Characters of one value that patterns search; an attacker writes URLs. A longer value is marked."""

_SAID = frozenset(
    {
        "outfall.raw.subject", "outfall.raw.record", "outfall.raw.anonymous",
        "outfall.subjects.id", "outfall.subjects.anonymous", "outfall.records.id",
        "outfall.data.category", "outfall.data.vulnerable",
    }
)  # fmt: skip
"""Where an event says by itself whose data it is about; most events do not, nor does a pattern find an id."""

_VALIDATORS: dict[str, Callable[[str], bool]] = {
    "nhs": nhs.is_valid,
    "nino": lambda text: is_national_insurance(normalise_id(text)),
}


@dataclass(frozen=True, slots=True)
class Pattern:
    """Finds ids in fields: `regex` has a group `subject`, `record` or both; `validate` is for the subject."""

    name: str
    fields: tuple[str, ...]
    regex: Search
    validate: str | None = None
    categories: tuple[str, ...] = ()
    vulnerable: bool = False
    channels: frozenset[str] = frozenset()


class Found(NamedTuple):
    """What a pattern found at one place of a text: a person's id, a record's, or both."""

    pattern: Pattern
    subject: str | None
    record: str | None


class Subjects:
    """Puts `outfall.subjects.*` and `outfall.records.*` in the place of raw ids."""

    def __init__(self, pseudonyms: Pseudonymiser, patterns: Collection[Pattern]) -> None:
        self._pseudonyms = pseudonyms
        self._patterns = patterns
        self._of_channel = remembered(lambda channel: _searched(patterns, [channel]))

    def apply(self, event: Event) -> None:
        """Work on the event in place."""
        fields = event.fields
        found = self._found(event)
        if not found and fields.keys().isdisjoint(_SAID):
            return
        subjects = set(strings(fields.pop("outfall.raw.subject", None)))
        records = set(strings(fields.pop("outfall.raw.record", None)))
        stated = first(fields.pop("outfall.raw.anonymous", None))
        categories: set[str] = set()
        vulnerable = False
        for pattern, subject, record in found:
            if subject:
                subjects.add(subject)
            if record:
                records.add(record)
            if subject or record:
                categories.update(pattern.categories)
                vulnerable = vulnerable or pattern.vulnerable
        # What stands there as pseudonyms stays only if it looks like them; it must not go further as it is.
        subjects.update(strings(fields.pop("outfall.subjects.id", None)))
        records.update(strings(fields.pop("outfall.records.id", None)))
        known = Known(
            _all(subjects, self._pseudonyms.subject),
            _all(records, self._pseudonyms.record),
            frozenset(categories),
            vulnerable,
            count(stated),
        )
        merge(fields, known)

    def _found(self, event: Event) -> list[Found]:
        """Search an event's fields for ids."""
        fields = event.fields
        channel = fields.get("outfall.channel")
        if isinstance(channel, str):
            searched = self._of_channel(channel)
        else:
            searched = _searched(self._patterns, strings(channel))
        found: list[Found] = []
        for name, patterns in searched:
            value = fields.get(name)
            if value is not None:
                texts = _texts(name, value, event)
                for pattern in patterns:
                    for text in texts:
                        found += _ids(pattern, text)
        return found


def _searched(patterns: Iterable[Pattern], channels: Collection[str]) -> list[tuple[str, list[Pattern]]]:
    """Give the fields that are searched in events of these channels, each with its patterns."""
    searched: dict[str, list[Pattern]] = {}
    for pattern in patterns:
        if not pattern.channels or not pattern.channels.isdisjoint(channels):
            for name in pattern.fields:
                searched.setdefault(name, []).append(pattern)
    return [*searched.items()]


def _ids(pattern: Pattern, text: str) -> list[Found]:
    """Give what a pattern finds in a text, without the places where the subject is none by its check."""
    found = [
        Found(pattern, groups.get("subject"), groups.get("record")) for groups in pattern.regex.find(text)
    ]
    valid = _VALIDATORS.get(pattern.validate or "")
    return [one for one in found if not one.subject or valid(one.subject)] if found and valid else found


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of content: pseudonyms of people and records, categories, a mere number of people."""

    subjects: frozenset[str] = frozenset()
    records: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()
    vulnerable: bool = False
    anonymous: int = 0

    @property
    def something(self) -> bool:
        """Whether anything is known at all."""
        return bool(self.subjects or self.records or self.categories or self.anonymous)


def known_of(fields: Fields) -> Known:
    """Read what an event says of its content."""
    return Known(
        frozenset(strings(fields.get("outfall.subjects.id"))),
        frozenset(strings(fields.get("outfall.records.id"))),
        frozenset(strings(fields.get("outfall.data.category"))),
        first(fields.get("outfall.data.vulnerable")) is True,
        count(first(fields.get("outfall.subjects.anonymous"))),
    )


def merge(fields: Fields, more: Known) -> None:
    """Add to an event what is known of its content; lists are sorted, so that the order of adding is nothing.

    `outfall.subjects.count` is how many people at least: the known ones, or the largest mere number.
    """
    had = known_of(fields)
    subjects, records = had.subjects | more.subjects, had.records | more.records
    anonymous = max(had.anonymous, more.anonymous)
    if subjects:
        fields["outfall.subjects.id"] = [*sorted(subjects)]
    if anonymous:
        fields["outfall.subjects.anonymous"] = anonymous
    if subjects or anonymous:
        fields["outfall.subjects.count"] = max(len(subjects), anonymous)
    if records:
        fields["outfall.records.id"] = [*sorted(records)]
        fields["outfall.records.count"] = len(records)
    if had.categories or more.categories:
        fields["outfall.data.category"] = [*sorted(had.categories | more.categories)]
    if more.vulnerable:
        fields["outfall.data.vulnerable"] = True


def outside_caseload(fields: Fields, caseloads: Mapping[str, frozenset[str]], *, exempt: bool) -> None:
    """Set `outfall.subjects.outside_caseload`, for persons who have a caseload and are bound to it."""
    caseload = caseloads.get(str(fields.get("outfall.actor.id")))
    if caseload is None or exempt or fields.get("outfall.actor.kind") not in (None, "person"):
        return
    outside = sorted(set(strings(fields.get("outfall.subjects.id"))) - caseload)
    if outside:
        fields["outfall.subjects.outside_caseload"] = [*outside]


def count(value: Scalar) -> int:
    """Give a mere number of people; 0 for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def _all(ids: Iterable[str], pseudonym: Callable[[str], str]) -> frozenset[str]:
    return frozenset(item if is_pseudonym(item) else pseudonym(item) for item in ids if item.strip())


def _texts(name: str, value: Value, event: Event) -> list[str]:
    """Give the texts of a field that patterns search; URLs' also with their percent-encoding undone."""
    texts = []
    for text in strings(value):
        if len(text) > MAX_SEARCHED:
            mark(event, PATTERNS_SEARCHED_PART)
        part = text[:MAX_SEARCHED]
        texts.append(part)
        if ("%" in part or "+" in part) and name.startswith("url."):
            texts.append(unquote_plus(part))
    return texts
