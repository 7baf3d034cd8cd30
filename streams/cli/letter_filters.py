"""Which dead letters a command is about, as given on the command line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from streams.errors import ConfigError, RecordError
from streams.normalise.time import parse_rfc3339
from streams.runtime.letters import Wanted
from streams.settings import parse_duration


@dataclass(frozen=True, slots=True)
class Filters:
    """The options that say which dead letters are meant."""

    ids: Sequence[str]
    source: str | None
    stage: str | None
    reason: str | None
    since: str | None
    until: str | None
    limit: int | None

    def wanted(self, now: int) -> Wanted:
        """Read the times; `now` is what durations go back from (nanoseconds).

        Raises:
            ConfigError: with everything that is wrong.
        """
        times: dict[str, int | None] = {}
        problems = []
        for name, text in (("since", self.since), ("until", self.until)):
            try:
                times[name] = None if text is None else _time(text, now)
            except ConfigError as error:
                problems += [f"--{name}: {problem}" for problem in error.problems]
        if problems:
            raise ConfigError(problems)
        return Wanted(
            source=self.source,
            stage=self.stage,
            reason=self.reason,
            since=times["since"],
            until=times["until"],
            ids=frozenset(self.ids),
            limit=self.limit,
        )


def _time(text: str, now: int) -> int:
    """Read a time, or a duration that goes back from now."""
    try:
        return now - parse_duration(text.removesuffix("ago").strip())
    except ValueError:
        pass
    try:
        return parse_rfc3339(text)
    except RecordError as error:
        how = "write 2026-03-02T09:00:00Z, or how long ago: 90s, 5m, 24h, 7d"
        raise ConfigError([f"{error}; {how}"]) from None
