"""Who plays which story. The cast is the same whichever stories are told: none changes another."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from streams.simulate.council import Council
from streams.simulate.incidents import STORIES
from streams.simulate.incidents.story import Plot, Stage
from streams.simulate.people import Person


def cast(council: Council) -> dict[str, Person]:
    """Give each story an actor of its own."""
    taken: set[str] = set()
    found: dict[str, Person] = {}
    for name, story in STORIES.items():
        everybody = (*council.staff, *council.services.values())
        fitting = [person for person in everybody if story.suits(person) and person.id not in taken]
        found[name] = council.random("cast", name).choice(fitting)
        taken.add(found[name].id)
    return found


def fitting_stories(days: int) -> list[str]:
    """Name the stories that fit into so many days."""
    return [name for name, story in STORIES.items() if story.least_days <= days]


def plots(
    council: Council, actors: dict[str, Person], days: list[date], names: Iterable[str]
) -> dict[str, Plot]:
    """Work out the named stories, and the routine ones, which are always told."""
    told = [name for name, story in STORIES.items() if story.routine or name in set(names)]
    return {
        name: STORIES[name].plot(Stage(council, actors[name], days, council.random("story", name)))
        for name in told
    }
