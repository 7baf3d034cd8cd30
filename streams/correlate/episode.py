"""Episodes: the firings of one rule for one group that lie close together in event time.

An episode's extent follows from the set of firings alone: a gap of more than the quiet period parts two
of them. What does not follow from the set is kept: its id, given once, and what it has paged.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from streams.alert import Status
from streams.correlate.entry import SEPARATOR
from streams.correlate.tally import Tally
from streams.event import Scalar


@dataclass(slots=True)
class Episode:
    """One episode. `first` and `last` are the times of its outermost firings, in nanoseconds.

    `paged` is the highest tier at which it has paged, -1 before, `told` how many firings the last revision
    counted. `late` counts events of its group that came
    too late to be counted in, `left_out` those that found its window full. `page_now` is true while a page is
    due with the next revision. `summary` is the greatest metric and the number of firings, `group` how the
    group's values were spelled, both kept when the episode has ended and its window is forgotten.
    """

    id: str
    first: int
    last: int
    revision: int = 0
    digest: str = ""
    pages: int = 0
    paged: int = -1
    breach: str | None = None
    late: int = 0
    left_out: int = 0
    told: int = 0
    page_now: bool = False
    status: Status = Status.OPEN
    superseded_by: str | None = None
    summary: tuple[int | float | None, int] | None = None
    group: dict[str, Scalar] | None = None
    tally: Tally = field(default_factory=Tally)

    def row(self, track: str) -> dict[str, Any]:
        """Give what cannot be derived, for the state table."""
        return {
            "track": track,
            "first": self.first,
            "last": self.last,
            "revision": self.revision,
            "digest": self.digest,
            "pages": self.pages,
            "paged": self.paged,
            "breach": self.breach,
            "late": self.late,
            "left_out": self.left_out,
            "told": self.told,
        }

    @classmethod
    def from_row(cls, episode_id: str, row: Mapping[str, Any]) -> Episode:
        """Bring back a saved episode; its tally is rebuilt from the window."""
        return cls(episode_id, **{name: value for name, value in row.items() if name != "track"})


def alert_id(rule: str, group: str, completing: str) -> str:
    """Make an alert's id of its rule, its folded group, and the event that completed its first firing."""
    content = SEPARATOR.join((rule, group, completing)).encode("utf-8", "surrogatepass")
    return hashlib.sha256(content).hexdigest()[:32]


def clusters(times: Iterable[int], quiet: int) -> list[list[int]]:
    """Part ascending times wherever the gap is longer than the quiet period."""
    parted: list[list[int]] = []
    for time in times:
        if parted and time - parted[-1][-1] <= quiet:
            parted[-1].append(time)
        else:
            parted.append([time])
    return parted
