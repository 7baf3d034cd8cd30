"""Tells the days of a council one after the other, and writes what its systems log."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import orjson

from streams.errors import ConfigError
from streams.simulate.cast import cast, fitting_stories, plots
from streams.simulate.config_files import write_config
from streams.simulate.council import Council, found
from streams.simulate.day import FREE, Restraint, everyday, works
from streams.simulate.habits import LEAST_PEOPLE, TEAMS
from streams.simulate.incidents import STORIES
from streams.simulate.incidents.story import Plot
from streams.simulate.people import Person
from streams.simulate.services import routines
from streams.simulate.truth import Truth
from streams.simulate.workdays import DAY, midnight
from streams.simulate.writer import Writer

START = date(2026, 3, 2)
"""The first day, a Monday, unless another is asked for."""


@dataclass(frozen=True, slots=True)
class Simulation:
    """What to simulate. `stories` names incidents and look-alikes; None is all that fit into the days."""

    seed: int
    people: int
    days: int
    start: date = START
    stories: Collection[str] | None = None

    def problems(self) -> list[str]:
        """Say everything that is wrong with it."""
        said = []
        if self.people < LEAST_PEOPLE:
            said.append(f"--people: a council needs at least {LEAST_PEOPLE}")
        if self.days < 1:
            said.append("--days: at least 1")
        for name in self.stories or ():
            if name not in STORIES:
                said.append(f"--incident: there is no {name}; known are {', '.join(sorted(STORIES))}")
            elif STORIES[name].least_days > self.days:
                said.append(f"--incident: {name} needs {STORIES[name].least_days} days or more")
        return said


def simulate(
    wanted: Simulation, folder: Path, rules: Path, advance: Callable[[int], object] = lambda _: None
) -> None:
    """Write `logs/`, `config/`, `outfall.toml` and `truth.json` into a folder.

    `advance` is told how many people's days have been done since it was called last.

    Raises:
        ConfigError: the simulation cannot be.
    """
    if problems := wanted.problems():
        raise ConfigError(problems)
    council = found(wanted.seed, wanted.people, wanted.start)
    days = [wanted.start + timedelta(place) for place in range(wanted.days)]
    actors = cast(council)
    stories = fitting_stories(wanted.days) if wanted.stories is None else wanted.stories
    played = plots(council, actors, days, stories)
    restraints = {actors[name].id: plot.restraint for name, plot in played.items()}
    truth = Truth(played, actors)
    write_config(folder, council, rules)
    with Writer(folder / "logs", truth) as writer:
        for day in days:
            _live(council, day, played, restraints, writer, advance)
            writer.write(midnight(day) + DAY)
        writer.write(None)
    (folder / "truth.json").write_bytes(orjson.dumps(truth.document(), option=orjson.OPT_INDENT_2) + b"\n")


def _live(
    council: Council,
    day: date,
    played: dict[str, Plot],
    restraints: dict[str, Restraint],
    writer: Writer,
    advance: Callable[[int], object],
) -> None:
    """Let everybody do their day's work, and the stories happen."""
    at_work: list[Person] = []
    for team in TEAMS:
        members = council.team(team)
        for person in members:
            restraint = restraints.get(person.id, FREE)
            if works(council, person, day, restraint):
                at_work.append(person)
                writer.add(everyday(council, person, day, members, restraint))
        advance(len(members))
    writer.add(routines(council, day, at_work))
    for name, plot in played.items():
        writer.add(plot.on(day), story=name)
