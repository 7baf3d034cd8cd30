"""One way back: from what an event carries, among the makers of its time, to the origins."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import NamedTuple

from streams.enrich.maker import HASH, SKEW, WEAK, Maker, is_recent, window

MAX_LINKS = 500
"""Longest way back that is followed; whoever renames a file more often wants it to be lost."""

_TIME = attrgetter("time")


class _Hands(NamedTuple):
    """In whose hands content was at a time: those of the event itself, or of a maker (`maker` is its id)."""

    time: int
    actor: str | None
    maker: str


class Walk:
    """Goes through each maker once, so that long or circular chains cost no more than they are long.

    `explained` gives the makers of an identity that may lead to an origin. Only those between `earliest` and
    `latest` count, and never `itself`.
    """

    def __init__(
        self, explained: Callable[[str], list[Maker]], earliest: int, latest: int, itself: str
    ) -> None:
        self._explained = explained
        self._earliest, self._latest, self._itself = earliest, latest, itself
        self._makers: dict[str, list[Maker]] = {}
        self._ordered: dict[tuple[str, str | None], list[Maker]] = {}
        self._origins: dict[str, Maker] = {}
        self._passed: dict[str, int] = {}

    def origins(self, wanted: Sequence[str], time: int, actor: str | None) -> tuple[list[Maker], bool]:
        """Give the origins, and whether the way was too long; then these are all that may be meant."""
        hands = _Hands(time, actor, "")
        self._gather(wanted, hands)
        found: dict[str, Maker] = {}
        seen: set[str] = set()
        step = self._sources(wanted, hands)
        for _ in range(MAX_LINKS):
            fresh = {maker.id: maker for maker in step if maker.id not in seen}
            seen |= fresh.keys()
            found |= {maker_id: maker for maker_id, maker in fresh.items() if maker.is_origin}
            step = [
                source
                for maker in fresh.values()
                for source in self._sources(maker.made_from, _hands_of(maker))
            ]
            if not step:
                break
        else:
            found = self._origins  # rather too many people than none
        return [found[maker_id] for maker_id in sorted(found)], bool(step)

    def _gather(self, wanted: Iterable[str], hands: _Hands) -> None:
        """Find the makers from which any way leads to an origin; others must not hide those that do."""
        makers: dict[str, list[Maker]] = {}
        users: dict[str, list[str]] = {}
        explained: list[str] = []
        sources: dict[str, list[str]] = {}
        stack = [(identity, hands) for identity in wanted]
        while stack:
            identity, held = stack.pop()
            node = _node(identity, held)
            if node in makers:
                continue
            makers[node] = self._in_time(identity, held)
            for maker in makers[node]:
                if maker.is_origin:
                    self._origins[maker.id] = maker
                    explained.append(node)
                if maker.id not in sources:
                    its_hands = _hands_of(maker)
                    sources[maker.id] = [_node(source, its_hands) for source in maker.made_from]
                    stack += [(source, its_hands) for source in maker.made_from]
                for source in sources[maker.id]:
                    users.setdefault(source, []).append(node)
        known: set[str] = set()
        while explained:
            node = explained.pop()
            if node not in known:
                known.add(node)
                explained += users.get(node, ())
        self._makers = {
            node: [m for m in made if m.is_origin or not known.isdisjoint(sources[m.id])]
            for node, made in makers.items()
        }

    def _in_time(self, identity: str, hands: _Hands) -> list[Maker]:
        earliest, latest = self._earliest, self._latest
        if is_recent(identity):
            before, after = window(identity)
            earliest, latest = max(earliest, hands.time - before), min(latest, hands.time + after)
        return [
            maker
            for maker in self._explained(identity)
            if earliest <= maker.time <= latest and maker.id != self._itself
        ]

    def _sources(self, wanted: Iterable[str], hands: _Hands) -> list[Maker]:
        """Give the makers of content that was in somebody's hands.

        Names and sizes are asked only where the hashes leave something open, and never against the hashes.
        """
        found: list[Maker] = []
        weak: list[str] = []
        strong: list[str] = []
        for identity in wanted:
            if identity.startswith(WEAK):
                weak.append(identity)
            elif is_recent(identity):
                found += self._makers[_node(identity, hands)]
            else:
                strong.append(identity)
                found += self._newly_passed(identity, hands.time + SKEW)
        if len(strong) >= len(weak) and all(self._makers[identity] for identity in strong):
            return found
        hashes = {identity for identity in strong if identity.startswith(HASH)}
        known = hashes if len(hashes) >= len(weak) else None
        return found + [maker for identity in weak for maker in self._most_recent(identity, hands, known)]

    def _newly_passed(self, identity: str, latest: int) -> list[Maker]:
        """Give all makers of a strong identity until a time, but for those that were given before."""
        makers = self._by_time(identity, None)
        end = bisect_right(makers, latest, key=_TIME)
        begin = min(self._passed.get(identity, 0), end)
        self._passed[identity] = max(end, self._passed.get(identity, 0))
        return makers[begin:end]

    def _most_recent(self, identity: str, hands: _Hands, hashes: set[str] | None) -> list[Maker]:
        """Pick the most recent maker, by the same actor if there is one; none or one.

        A later one, within the skew, is the last resort; for a maker even after other actors' earlier ones,
        since makers that follow each other closely (a rename there and back) would lead in a circle.
        """
        if not self._makers[identity]:
            return []
        actor, time, late = hands.actor, hands.time, hands.time + SKEW
        choices = [(actor, time), (actor, late), (None, time), (None, late)]
        if hands.maker:
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


def _hands_of(maker: Maker) -> _Hands:
    return _Hands(maker.time, maker.actor, maker.id)


def _node(identity: str, hands: _Hands) -> str:
    """Name an identity in the graph: what a process had in hand is another thing at another time."""
    return f"{identity}@{hands.maker}" if is_recent(identity) else identity


def _last(makers: list[Maker], time: int, hashes: set[str] | None) -> Maker | None:
    """Give the last maker not after `time` whose content may be one of the hashes, if these are known."""
    for index in range(bisect_right(makers, time, key=_TIME) - 1, -1, -1):
        if hashes is None or _fits(makers[index], hashes):
            return makers[index]
    return None


def _fits(maker: Maker, hashes: set[str]) -> bool:
    """Tell whether a maker's content may be that with one of the hashes: it states none, or one of them."""
    stated = {identity for identity in maker.produces if identity.startswith(HASH)}
    return not stated or not stated.isdisjoint(hashes)
