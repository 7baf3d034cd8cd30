"""What is kept of dead letters, wherever that is, and which of them somebody wants."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from streams.errors import OutfallError
from streams.runtime.dead_letters import Letter


@dataclass(frozen=True, slots=True)
class Entry:
    """One dead letter where it is kept: under which id, since when (nanoseconds), and how large it is.

    `letter.data` is empty where the content was not asked for. `foreign` says why it is no letter at all,
    where others have written to the topic.
    """

    id: str
    at: int
    letter: Letter
    size: int
    replayed: bool = False
    foreign: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which dead letters are meant: those for which all that is given holds.

    `reason` is a part of the reason, in whichever case; `since` is inclusive and `until` exclusive, both in
    nanoseconds. `ids` are all that are meant, where there are any. `limit` leaves only the oldest ones.
    """

    source: str | None = None
    stage: str | None = None
    reason: str | None = None
    since: int | None = None
    until: int | None = None
    ids: frozenset[str] = field(default=frozenset())
    limit: int | None = None

    @property
    def all(self) -> bool:
        """Whether there is no restriction."""
        return self == Wanted()

    def takes(self, entry: Entry) -> bool:
        """Tell whether an entry is meant, the limit aside."""
        letter = entry.letter
        return (
            (not self.ids or entry.id in self.ids)
            and (self.source is None or letter.origin.source == self.source)
            and (self.stage is None or letter.stage == self.stage)
            and (self.reason is None or self.reason.casefold() in letter.reason.casefold())
            and (self.since is None or entry.at >= self.since)
            and (self.until is None or entry.at < self.until)
        )

    def of(self, entries: Iterable[Entry]) -> Iterator[Entry]:
        """Give those that are meant; entries come oldest first.

        Raises:
            OutfallError: after all others, where ids are given that are not there.
        """
        picker = Picker(self)
        for entry in entries:
            if picker.full:
                return
            if picker.takes(entry):
                yield entry
        picker.finish()


class Picker:
    """Picks the entries that are meant, one after the other, the oldest first."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._missing = set(wanted.ids)
        self._taken = 0

    @property
    def full(self) -> bool:
        """Whether no further one is meant."""
        return self._wanted.limit is not None and self._taken >= self._wanted.limit

    def takes(self, entry: Entry) -> bool:
        """Tell whether an entry is meant, and count it then."""
        self._missing.discard(entry.id)
        if self.full or not self._wanted.takes(entry):
            return False
        self._taken += 1
        return True

    def finish(self) -> None:
        """Say that there is no further entry.

        Raises:
            OutfallError: ids were given that are not there.
        """
        if self._missing:
            raise OutfallError(f"there is no dead letter {', '.join(sorted(self._missing))}")
