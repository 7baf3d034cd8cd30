"""What really happened: the stories with their people, times and evidence, for scoring alerts against."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from streams.simulate.incidents import STORIES
from streams.simulate.incidents.story import Plot
from streams.simulate.moment import to_millisecond
from streams.simulate.people import Person


class Truth:
    """Collects the evidence of each story while its lines are written."""

    def __init__(self, plots: Mapping[str, Plot], actors: Mapping[str, Person]) -> None:
        self._plots = plots
        self._actors = actors
        self._events: dict[str, list[dict[str, Any]]] = {name: [] for name in plots}
        self._times: dict[str, list[int]] = {name: [] for name in plots}

    def note(self, story: str, time: int, source: str, line: int) -> None:
        """Remember a line, counted from 0, as evidence of a story."""
        self._events[story].append({"source": source, "line": line})
        self._times[story].append(time)

    def document(self) -> dict[str, Any]:
        """Give `truth.json`; stories of which nothing happened are left out."""
        told = [self._entry(name) for name in self._plots if self._events[name]]
        return {
            "incidents": [entry for entry in told if entry["malicious"]],
            "lookalikes": [entry for entry in told if not entry["malicious"]],
        }

    def _entry(self, name: str) -> dict[str, Any]:
        story, plot = STORIES[name], self._plots[name]
        subjects = [client.person for client in plot.subjects] + list(plot.people)
        times = self._times[name]
        return {
            "name": name,
            "kind": story.kind,
            "actor": self._actors[name].id,
            "malicious": story.malicious,
            "start": f"{to_millisecond(min(times))}Z",
            "end": f"{to_millisecond(max(times))}Z",
            "subjects": subjects,
            "subject_count": len(subjects),
            "records": [client.record for client in plot.subjects],
            "channel": plot.channel,
            "destination": plot.destination,
            "events": self._events[name],
            "expect": story.expect,
        }
