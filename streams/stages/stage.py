"""What a stage is to the shell that runs it: records of one partition in, messages out, tables to save."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, Protocol, TypeVar

from streams.alert import Alert
from streams.event import Event, RawRecord
from streams.rule import RuleFailure
from streams.stages.reader import DeadLetter
from streams.state import Saved

Taken_contra = TypeVar("Taken_contra", contravariant=True)


class Progress(NamedTuple):
    """What stands in a raw topic in place of a record: event time has come so far in this partition.

    `sources` are those of which every other partition has such a mark too, perhaps not read yet.
    """

    time: int
    sources: Sequence[str] = ()


Raw = RawRecord | Progress


@dataclass(slots=True)
class Sent:
    """What a batch led to: messages by partition of the next topic, alerts, dead letters, and figures.

    `newest` gives the time of the newest event of each source of which there is news, `final_before` the time
    before which windows are final, where this stage says so; in nanoseconds since the epoch. `events` are
    those on which the rules were tried: again, when another event has said more of one.
    """

    content: dict[int, list[bytes]] = field(default_factory=dict)
    matches: dict[int, list[bytes]] = field(default_factory=dict)
    alerts: list[Alert] = field(default_factory=list)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    failures: list[RuleFailure] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    matched: Counter[str] = field(default_factory=Counter)
    fired: Counter[str] = field(default_factory=Counter)
    newest: dict[str, int] = field(default_factory=dict)
    final_before: int | None = None
    events: list[Event] = field(default_factory=list)


class Stage(Protocol, Generic[Taken_contra]):
    """The task of one partition. Pure: what comes out follows from what has been taken in."""

    tables: tuple[Saved, ...]

    def after_restore(self) -> None:
        """Go on from the restored tables."""
        ...

    def process(self, records: Sequence[Taken_contra]) -> Sent:
        """Take records in, in the order of their partition."""
        ...
