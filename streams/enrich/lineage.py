"""What content was made of: exports, and the copies, renames and archives that came of them.

A *maker* is an event by which content came into being. What an event carries is traced back through makers
to *origins*, those that tell whose data it is. The answer is a function of the set of makers whose event time
lies within the retention before the event, or at most the clock skew after it; in which order they arrived
makes no difference.

An identity is *strong* (a hash, a document's id) or *weak* (name and size, a path). Strong: everything that
ever made it counts. Weak: only its most recent maker, by the same actor if there is one.
"""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from streams.enrich.subjects import Known
from streams.event import NANOSECONDS
from streams.state import Table

SKEW = 5 * 60 * NANOSECONDS
"""How far the clocks of two sources may differ: so much later, a maker may still have come first."""

MAX_LINKS = 500
"""Longest way back that is followed; whoever renames a file more often wants it to be lost."""

_WEAK = ("file:", "path:")
_HASH = "sha256:"
_TIME = attrgetter("time")
_EMPTY = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@dataclass(frozen=True, slots=True)
class Maker:
    """An event by which content came into being. `time` is in nanoseconds since the epoch."""

    id: str
    time: int
    actor: str | None
    produces: tuple[str, ...]
    made_from: tuple[str, ...]
    known: Known

    @property
    def is_origin(self) -> bool:
        """Whether it tells by itself whose data it is."""
        return self.known.something

    @property
    def made(self) -> tuple[str, ...]:
        """What was not there before: a mere copy does not make the hash of its original."""
        if self.is_origin:
            return self.produces
        return tuple(identity for identity in self.produces if identity not in self.made_from)


class Lineage:
    """All makers within the retention (nanoseconds)."""

    def __init__(self, retention: int) -> None:
        self.table = Table("content_makers")
        self._retention = retention
        self._makers: dict[str, Maker] = {}
        self._using: dict[str, set[str]] = {}
        self._explained: dict[str, set[str]] = {}
        self._ends: list[tuple[int, str]] = []

    def add(self, maker: Maker, watermark: int | None) -> bool:
        """Take in a maker, in place of any former version of it; False where that changes nothing."""
        if not maker.made or (watermark is not None and self._end(maker) < watermark):
            return False
        if self._makers.get(maker.id) == maker:
            return False
        self._forget(maker.id)
        self._remember(maker)
        self.table[maker.id] = _row(maker)
        return True

    def trace(
        self, wanted: Sequence[str], time: int, actor: str | None, itself: str
    ) -> tuple[list[Maker], bool]:
        """Give the origins of content that an event at `time` carries, never the event itself.

        Also tells whether the way was too long to be followed; then these are all origins that may be meant.
        """
        if not any(identity in self._explained for identity in wanted):
            return [], False
        walk = _Walk(self, wanted, time - self._retention, time + SKEW, itself)
        return walk.origins(wanted, time, actor)

    def explains(self, maker: Maker) -> set[str]:
        """Give every identity that a maker, by itself or through others, has a part in."""
        found: set[str] = set()
        stack = [*maker.produces]
        while stack:
            identity = stack.pop()
            if identity not in found:
                found.add(identity)
                stack += (
                    made for user in self._using.get(identity, ()) for made in self._makers[user].produces
                )
        return found

    def expire(self, watermark: int) -> None:
        """Forget makers that no event at or after the watermark can go back to."""
        while self._ends and self._ends[0][0] < watermark:
            _, maker_id = heapq.heappop(self._ends)
            maker = self._makers.get(maker_id)
            if maker is not None and self._end(maker) < watermark:
                self._forget(maker_id)
                del self.table[maker_id]

    def after_restore(self) -> None:
        """Go on from the restored table."""
        for maker_id, row in self.table.items():
            self._remember(_maker(maker_id, row))

    def explained(self, identity: str) -> list[Maker]:
        """Give the makers of an identity that lead to an origin, or once led to one."""
        return [self._makers[maker_id] for maker_id in self._explained.get(identity, ())]

    def _end(self, maker: Maker) -> int:
        # An event is reconsidered until the watermark is past it by the skew, so makers stay as much longer.
        return maker.time + self._retention + SKEW

    def _remember(self, maker: Maker) -> None:
        self._makers[maker.id] = maker
        for identity in maker.made_from:
            self._using.setdefault(identity, set()).add(maker.id)
        heapq.heappush(self._ends, (self._end(maker), maker.id))
        if maker.is_origin or any(identity in self._explained for identity in maker.made_from):
            self._spread(maker)

    def _spread(self, maker: Maker) -> None:
        """Note that a maker is explained, and with it those that used what it made."""
        stack = [maker]
        while stack:
            reached = stack.pop()
            for identity in reached.made:
                known = self._explained.setdefault(identity, set())
                if not known:
                    stack += (self._makers[user] for user in self._using.get(identity, ()))
                known.add(reached.id)

    def _forget(self, maker_id: str) -> None:
        maker = self._makers.pop(maker_id, None)
        if maker is None:
            return
        for index, identities in ((self._explained, maker.made), (self._using, maker.made_from)):
            for identity in identities:
                index.get(identity, set()).discard(maker_id)
                if not index.get(identity):
                    index.pop(identity, None)


class _Walk:
    """One way back: from what an event carries, among the makers of its time, to the origins.

    Each maker and each strong identity is gone through once, so that long or circular chains of renames cost
    no more than they are long.
    """

    def __init__(
        self, lineage: Lineage, wanted: Sequence[str], earliest: int, latest: int, itself: str
    ) -> None:
        self._lineage = lineage
        self._earliest, self._latest, self._itself = earliest, latest, itself
        self._ordered: dict[tuple[str, str | None], list[Maker]] = {}
        self._makers: dict[str, list[Maker]] = {}
        self._origins: dict[str, Maker] = {}
        self._passed: set[str] = set()
        self._gather(wanted)

    def origins(self, wanted: Sequence[str], time: int, actor: str | None) -> tuple[list[Maker], bool]:
        found: dict[str, Maker] = {}
        seen: set[str] = set()
        start = step = self._sources(wanted, time, actor, link=False)
        for _ in range(MAX_LINKS):
            fresh = {maker.id: maker for maker in step if maker.id not in seen}
            seen |= fresh.keys()
            found |= {maker_id: maker for maker_id, maker in fresh.items() if maker.is_origin}
            step = [
                source
                for maker in fresh.values()
                for source in self._sources(maker.made_from, maker.time, maker.actor, link=True)
            ]
            if not step:
                break
        if step or (start and not found):  # too long, or in a circle: rather too many people than none
            found = self._origins
        return [found[maker_id] for maker_id in sorted(found)], bool(step)

    def _gather(self, wanted: Iterable[str]) -> None:
        """Find the makers from which any way leads to an origin; others must not hide those that do."""
        makers: dict[str, list[Maker]] = {}
        users: dict[str, list[str]] = {}
        explained: list[str] = []
        seen: set[str] = set()
        stack = [*wanted]
        while stack:
            identity = stack.pop()
            if identity in makers:
                continue
            makers[identity] = self._in_time(identity)
            for maker in makers[identity]:
                if maker.is_origin:
                    self._origins[maker.id] = maker
                    explained.append(identity)
                for source in maker.made_from:
                    users.setdefault(source, []).append(identity)
                if maker.id not in seen:
                    seen.add(maker.id)
                    stack += maker.made_from
        known: set[str] = set()
        while explained:
            identity = explained.pop()
            if identity not in known:
                known.add(identity)
                explained += users.get(identity, ())
        self._makers = {
            identity: [m for m in made if m.is_origin or not known.isdisjoint(m.made_from)]
            for identity, made in makers.items()
        }

    def _in_time(self, identity: str) -> list[Maker]:
        return [
            maker
            for maker in self._lineage.explained(identity)
            if self._earliest <= maker.time <= self._latest and maker.id != self._itself
        ]

    def _sources(self, wanted: Collection[str], time: int, actor: str | None, *, link: bool) -> list[Maker]:
        """Give the makers of content that was in somebody's hands at `time`.

        Names and sizes are asked only where the hashes leave something open, and never against the hashes.
        """
        strong = [identity for identity in wanted if not identity.startswith(_WEAK)]
        found = [
            maker for identity in strong if identity not in self._passed for maker in self._makers[identity]
        ]
        self._passed.update(strong)
        names = len(wanted) - len(strong)
        if len(strong) >= names and all(self._makers[identity] for identity in strong):
            return found
        hashes = {identity for identity in strong if identity.startswith(_HASH)}
        known = hashes if len(hashes) >= names else None
        for identity in wanted:
            if identity.startswith(_WEAK):
                found += self._most_recent(identity, time, actor, known, link=link)
        return found

    def _most_recent(
        self, identity: str, time: int, actor: str | None, hashes: set[str] | None, *, link: bool
    ) -> list[Maker]:
        """Pick the most recent maker, by the same actor if there is one; none or one.

        A later one, within the skew, is the last resort; for a link even after other actors' earlier ones,
        since links that follow each other closely (a rename there and back) would lead in a circle.
        """
        if not self._makers[identity]:
            return []
        late = time + SKEW
        choices = [(actor, time), (actor, late), (None, time), (None, late)]
        if link:
            choices = [(actor, time), (None, time), (actor, late), (None, late)]
        found = (_last(self._by_time(identity, whose), when, hashes) for whose, when in choices)
        return next(([maker] for maker in found if maker is not None), [])

    def _by_time(self, identity: str, actor: str | None) -> list[Maker]:
        """Give an actor's makers of an identity, or everybody's, by time; origins last among equals."""
        key = (identity, actor)
        if key not in self._ordered:
            makers = [m for m in self._makers[identity] if actor is None or m.actor == actor]
            self._ordered[key] = sorted(makers, key=lambda m: (m.time, m.is_origin, m.id))
        return self._ordered[key]


def _last(makers: list[Maker], time: int, hashes: set[str] | None) -> Maker | None:
    """Give the last maker not after `time` whose content may be one of the hashes, if these are known."""
    for index in range(bisect_right(makers, time, key=_TIME) - 1, -1, -1):
        if hashes is None or _fits(makers[index], hashes):
            return makers[index]
    return None


def _fits(maker: Maker, hashes: set[str]) -> bool:
    """Tell whether a maker's content may be that with one of the hashes: it states none, or one of them."""
    stated = {identity for identity in maker.produces if identity.startswith(_HASH)}
    return not stated or not stated.isdisjoint(hashes)


def identities(values: Iterable[str]) -> tuple[str, ...]:
    """Give content identities each once, in order, without that of empty files, which hold nobody's data."""
    return tuple(sorted({value for value in values if value != _EMPTY}))


def _row(maker: Maker) -> dict[str, Any]:
    known = maker.known
    return {
        "time": maker.time,
        "actor": maker.actor,
        "produces": maker.produces,
        "from": maker.made_from,
        "subjects": sorted(known.subjects),
        "records": sorted(known.records),
        "categories": sorted(known.categories),
        "vulnerable": known.vulnerable,
        "anonymous": known.anonymous,
    }


def _maker(maker_id: str, row: dict[str, Any]) -> Maker:
    known = Known(
        frozenset(row["subjects"]),
        frozenset(row["records"]),
        frozenset(row["categories"]),
        row["vulnerable"],
        row["anonymous"],
    )
    return Maker(maker_id, row["time"], row["actor"], tuple(row["produces"]), tuple(row["from"]), known)
