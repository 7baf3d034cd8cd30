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
from collections.abc import Iterator, Sequence

from streams.enrich.lineage_walk import Walk
from streams.enrich.maker import SKEW, Maker
from streams.state import Table


class Lineage:
    """All makers within the retention (nanoseconds) that lead to an origin, or still may."""

    def __init__(self, retention: int) -> None:
        self.table = Table("content_makers")
        self._retention = retention
        self._makers: dict[str, Maker] = {}
        self._making: dict[str, set[str]] = {}
        self._using: dict[str, set[str]] = {}
        self._explained: dict[str, set[str]] = {}
        self._checks: list[tuple[int, str]] = []

    def add(self, maker: Maker, watermark: int | None) -> bool:
        """Take in a maker, in place of any former version of it; False where that changes nothing."""
        if not maker.made or (watermark is not None and self._end(maker) < watermark):
            return False
        if self._makers.get(maker.id) == maker:
            return False
        self._forget(maker.id)
        self._remember(maker)
        self.table[maker.id] = maker.row()
        return True

    def trace(
        self, wanted: Sequence[str], time: int, actor: str | None, itself: str
    ) -> tuple[list[Maker], bool]:
        """Give the origins of content that an event at `time` carries, never the event itself.

        Also tells whether the way was too long to be followed; then these are all origins that may be meant.
        """
        if not any(identity in self._explained for identity in wanted):
            return [], False
        walk = Walk(self.explained, time - self._retention, time + SKEW, itself)
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

    def explained(self, identity: str) -> list[Maker]:
        """Give the makers of an identity that lead to an origin, or once led to one."""
        return [self._makers[maker_id] for maker_id in self._explained.get(identity, ())]

    def expire(self, watermark: int) -> None:
        """Forget makers that are too old to count, or that nothing can explain any more."""
        while self._checks and self._checks[0][0] < watermark:
            _, maker_id = heapq.heappop(self._checks)
            maker = self._makers.get(maker_id)
            if maker is None:
                continue
            until = self._needed_until(maker, watermark)
            if until < watermark:
                self._forget(maker_id)
                del self.table[maker_id]
            else:
                heapq.heappush(self._checks, (until, maker_id))

    def after_restore(self) -> None:
        """Go on from the restored table."""
        for maker_id, row in self.table.items():
            self._remember(Maker.from_row(maker_id, row))

    def _end(self, maker: Maker) -> int:
        # An event is reconsidered until the watermark is past it by the skew, so makers stay as much longer.
        return maker.time + self._retention + SKEW

    def _needed_until(self, maker: Maker, watermark: int) -> int:
        """Give until when a maker may matter; without an origin, until none can be expected to come."""
        if self._leads_to_origin(maker):
            return self._end(maker)
        return max(
            (before.time + SKEW for before in self._before(maker) if before.time + SKEW >= watermark),
            default=maker.time + SKEW,
        )

    def _before(self, maker: Maker) -> Iterator[Maker]:
        """Give everything that a maker was made by way of, itself included."""
        seen = {maker.id}
        stack = [maker]
        while stack:
            reached = stack.pop()
            yield reached
            made_by = {made for identity in reached.made_from for made in self._making.get(identity, ())}
            stack += (self._makers[maker_id] for maker_id in made_by - seen)
            seen |= made_by

    def _leads_to_origin(self, maker: Maker) -> bool:
        return any(maker.id in self._explained.get(identity, ()) for identity in maker.made)

    def _remember(self, maker: Maker) -> None:
        self._makers[maker.id] = maker
        for index, found in ((self._making, maker.made), (self._using, maker.made_from)):
            for identity in found:
                index.setdefault(identity, set()).add(maker.id)
        heapq.heappush(self._checks, (maker.time + SKEW, maker.id))
        if maker.is_origin or any(identity in self._explained for identity in maker.made_from):
            self._spread(maker)

    def _spread(self, maker: Maker) -> None:
        """Note that a maker leads to an origin, and with it those that used what it made."""
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
        for index in (self._explained, self._making, self._using):
            for identity in (*maker.made, *maker.made_from):
                index.get(identity, set()).discard(maker_id)
                if not index.get(identity):
                    index.pop(identity, None)
