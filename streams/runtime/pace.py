"""How fast stored records are sent: so many a second, or as fast as they once happened."""

from __future__ import annotations

from streams.event import NANOSECONDS


class Pace:
    """When each record is due: `rate` is records a second, `speed` 2.0 lets an hour pass in half of one.

    With neither, all are due at once; with both, the slower decides. Times are seconds of a clock that never
    goes back; event times are nanoseconds.
    """

    def __init__(self, *, rate: float | None = None, speed: float | None = None) -> None:
        self._rate = rate
        self._speed = speed
        self._begun: float | None = None  # when the first record came
        self._count = 0
        self._first: tuple[int, float] | None = None  # the first event's time, and when it came

    def wait(self, time: int | None, now: float) -> float:
        """Give the seconds until the next record, of this event time, is due; call it once for each."""
        waits = [0.0]
        if self._rate:
            self._begun = now if self._begun is None else self._begun
            waits.append(self._begun + self._count / self._rate - now)
            self._count += 1
        if self._speed and time is not None:
            self._first = self._first or (time, now)
            first, begun = self._first
            waits.append(begun + (time - first) / NANOSECONDS / self._speed - now)
        return max(waits)
