"""Documents into a rule book: identities, detections, filters, correlations, in this order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TypeVar

from streams.detect.book import Detection, RuleBook
from streams.detect.chain import Drafts, chain, served_and_kept
from streams.detect.condition import detection
from streams.detect.correlation import draft_of
from streams.detect.document import Document, RefusedError
from streams.detect.filters import Filter, filter_of
from streams.detect.lists import Lists
from streams.detect.metadata import check_version, rule_of
from streams.detect.register import Entry, Register
from streams.detect.shadows import shadows
from streams.detect.tree import And, Not
from streams.errors import Refusal
from streams.rule import Correlation

Kind = TypeVar("Kind", Detection, Correlation)


class Assembly:
    """A rule book in the making. `add` the documents in the order of their files, then `finish`."""

    def __init__(self) -> None:
        self.refused: list[Refusal] = []
        self._register = Register()
        self._detections: dict[str, Detection] = {}
        self._filters: list[Filter] = []
        self._drafts: Drafts = {}
        self._lists = Lists()
        self._without: dict[str, Detection] = {}
        self._excepted: dict[str, list[str]] = {}

    def add(self, document: Document, stem: str) -> None:
        """Compile one document, or refuse it; `stem` is the file's, for rules without id and name."""
        try:
            self._compile(self._register.claim(document, stem), stem)
        except RefusedError as error:
            self.refused.append(error.refusal)
        except Exception as error:  # noqa: BLE001 - whatever pySigma raises over a rule refuses this rule alone
            self.refused.append(document.refuse(f"it cannot be read ({type(error).__name__})").refusal)

    def add_list(self, document: Document) -> None:
        """Take in a list, or refuse it; before the rules that refer to it."""
        try:
            self._lists.add(document)
        except RefusedError as error:
            self.refused.append(error.refusal)

    def finish(self, digest: str) -> RuleBook:
        """Apply the filters, those that are exceptions last; resolve the references, and close the book."""
        for one in sorted(self._filters, key=lambda one: one.is_exception):
            self._apply(one)
        served, kept = served_and_kept(self._drafts, self._register)
        correlations, refused = chain(self._drafts, self._register)
        self.refused += refused
        silent = (served - kept) | {one.rule.id for one in self._filters}

        def settled(one: Kind) -> Kind:
            return replace(one, rule=replace(one.rule, alerts=one.rule.id not in silent))

        above = [settled(one) for one in correlations]
        without = [settled(one) for one in self._without.values()]
        shadow_detections, shadow_correlations = shadows(without, self._excepted, above)
        return RuleBook(
            detections=tuple(map(settled, self._detections.values())),
            correlations=tuple(above),
            refused=tuple(sorted(self.refused, key=_order)),
            hash=digest,
            shadow_detections=tuple(shadow_detections),
            shadow_correlations=tuple(shadow_correlations),
            filters=tuple(one.rule for one in self._filters if not one.is_exception),
            lists=tuple(self._lists.by_name.values()),
            unused_lists=tuple(self._lists.unused()),
        )

    def _compile(self, entry: Entry, stem: str) -> None:
        document = entry.document
        if "detection" in document.content and entry.kind != "detection":
            raise document.refuse(f"a document is a detection or a {entry.kind}, not both", "detection")
        check_version(document)
        if entry.kind == "detection" and "detection" not in document.content:
            raise document.refuse("there is no `detection`, `correlation` or `filter`")
        rule = rule_of(document, stem)
        if entry.kind == "filter":
            self._filters.append(filter_of(document, rule, self._lists))
        elif entry.kind == "correlation":
            self._drafts[rule.id] = (rule, draft_of(document))
        else:
            condition = detection(document.content["detection"], document, ("detection",), self._lists)
            self._detections[rule.id] = Detection(rule, condition)
        entry.rule = rule

    def _apply(self, one: Filter) -> None:
        covered = [*self._covered(one)]
        condition = Not(one.excepted) if one.is_exception else one.condition
        for rule_id in covered:
            found = self._detections[rule_id]
            self._detections[rule_id] = replace(found, condition=And((found.condition, condition)))
            if one.is_exception:
                self._without.setdefault(rule_id, found)
                self._excepted.setdefault(rule_id, []).append(one.rule.label)
        if one.is_exception and covered:
            self._detections[one.rule.id] = Detection(one.rule, one.excepted)

    def _covered(self, one: Filter) -> Iterable[str]:
        """Give the ids of the rules that a filter is for; what it names in vain is refused."""
        covered: dict[str, None] = {}
        for index, reference in enumerate(one.rules):
            path = one.place_of(index)
            try:
                rule = self._register.find(reference, one.document, *path)
                if rule.id not in self._detections:
                    raise one.document.refuse(
                        f"`{reference}` is a correlation; filters are for detections", *path
                    )
                if not one.covers(rule.logsource):
                    raise one.document.refuse(
                        f"`{reference}` is of another log source than the filter", *path
                    )
            except RefusedError as error:
                self.refused.append(error.refusal)
            else:
                covered[rule.id] = None
        return covered


def _order(refusal: Refusal) -> tuple[str, int, int]:
    return refusal.place.path, refusal.place.line, refusal.place.column
