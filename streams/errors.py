"""The errors that the program knows how to live with; anything else is a bug and ends the process."""

from __future__ import annotations

from dataclasses import dataclass


class OutfallError(Exception):
    """The base of all of them; its text is meant for a person and names the place."""


class ConfigError(OutfallError):
    """The configuration cannot be used. Holds every problem, not only the first."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class RecordError(OutfallError):
    """A raw record cannot be processed, now or ever: it goes to the dead letters.

    Its text must hold nothing of the record's content, since listings of dead letters show it.
    """


class Ignored(OutfallError):  # noqa: N818 - not an error: a line that was never meant to be a record
    """A line that is no record, such as a header; it is neither an event nor a dead letter."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a rule file; `line` and `column` count from 1, 0 where they are not known."""

    path: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        if not self.line:
            return self.path
        return f"{self.path}:{self.line}:{self.column}" if self.column else f"{self.path}:{self.line}"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A rule that cannot be run exactly, and therefore is not run at all."""

    place: Place
    reason: str

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}"
