"""Proves of what lies in a worker's topics that nothing was lost and nothing was doubled, hop by hop.

Each stage is pure: run over the committed records of its input, in this process and undisturbed, it says what
must lie in its outputs, whatever order the records came in. So each hop is held to exactly-once by itself.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from episodes import differing
from services.tail import Tail
from services.workers import Live
from streams.alert import Alert, Status
from streams.runtime.assemble import Stages, assemble
from streams.runtime.dead_letters import Letter
from streams.stages.stage import Sent
from streams.stages.wire import decode

BATCH = 500
GONE = (Status.SUPERSEDED, Status.RETRACTED)
"""What an alert told before it went depends on where batches are cut."""


class Ledger:
    """What lies in the topics, and what must."""

    def __init__(self, live: Live, tail: Tail) -> None:
        self._topics = live.topics
        self._tail = tail
        self._stages: Stages = assemble(live.settings, self._topics)
        self.letters: Counter[str] = Counter()

    def alerts(self) -> list[Alert]:
        """Give all alert revisions, those of each id in their order."""
        found = self._tail.of(self._topics.alerts)
        return [Alert.model_validate_json(record.value) for records in found.values() for record in records]

    def check(self) -> dict[str, int]:
        """Check everything, and give figures of what was there."""
        assert not self._tail.problems, self._tail.problems
        figures: Counter[str] = Counter()
        content, matches = self._carried(self._topics.content), self._carried(self._topics.matches)
        for topic in self._topics.sources:
            for partition, records in self._tail.of(topic).items():
                upstream = f"{topic}/{partition}"
                sent = self._sent(topic, partition, records)
                wanted = _carried((0, piece) for each in sent for piece in each.content.get(0, []))
                _equal(f"{upstream} in content", content[upstream], wanted[upstream])
                _equal(f"{upstream} in matches", matches[upstream], _matched(sent)[upstream])
                figures["raw"] += len(records)
                figures["content"] += wanted[upstream].total()
        for partition, records in self._tail.of(self._topics.content).items():
            upstream = f"{self._topics.content}/{partition}"
            wanted = _matched(self._sent(self._topics.content, partition, records))
            _equal(f"{upstream} in matches", matches[upstream], wanted[upstream])
        figures["matches"] = sum(found.total() for found in matches.values())
        figures["alerts"] = self._check_alerts()
        figures["letters"] = self._check_letters()
        return dict(figures)

    def _check_alerts(self) -> int:
        """Each revision is there once, and the last ones say what the messages lead to."""
        alerts = self.alerts()
        revisions: defaultdict[str, list[int]] = defaultdict(list)
        for alert in alerts:
            revisions[alert.id].append(alert.revision)
        for identity, numbers in revisions.items():
            assert numbers == list(range(1, len(numbers) + 1)), f"alert {identity} has revisions {numbers}"
        wanted: list[Alert] = []
        for partition, records in self._tail.of(self._topics.matches).items():
            for sent in self._sent(self._topics.matches, partition, records):
                wanted += sent.alerts
        told, must = _last(alerts), _last(wanted)
        assert told.keys() == must.keys(), "other alerts than the messages lead to"
        for identity, alert in must.items():
            assert told[identity].status == alert.status, f"alert {identity} is {told[identity].status}"
            if alert.status not in GONE:
                found = [*differing("", told[identity].canonical(), alert.canonical())]
                assert not found, "\n".join([f"alert {identity} of {alert.rule.name}", *found])
        return len(alerts)

    def _check_letters(self) -> int:
        found: Counter[str] = Counter()
        for records in self._tail.of(self._topics.dead_letters).values():
            found.update(Letter.read(record.value, record.headers).place for record in records)
        _equal("dead letters", found, self.letters)
        return found.total()

    def _sent(self, topic: str, partition: int, records: Sequence[Any]) -> list[Sent]:
        """Run the stage that reads a partition over its records."""
        source = self._stages.input(topic, partition)
        found = []
        for start in range(0, len(records), BATCH):
            taken, letters = source.read(records[start : start + BATCH])
            sent = source.stage.process(taken)
            self.letters.update(letter.place for letter in [*letters, *map(source.letter, sent.dead_letters)])
            found.append(sent)
        return found

    def _carried(self, topic: str) -> dict[str, Counter[tuple[int, str]]]:
        """Count the events in a topic's messages, by where these come from; by partition and id."""
        found = self._tail.of(topic)
        return _carried((number, record.value) for number, records in found.items() for record in records)


def _carried(pieces: Iterator[tuple[int, bytes]]) -> dict[str, Counter[tuple[int, str]]]:
    counts: defaultdict[str, Counter[tuple[int, str]]] = defaultdict(Counter)
    for partition, piece in pieces:
        message = decode(piece)
        counts[message.upstream].update((partition, carried.event.id) for carried in message.events)
    return counts


def _matched(sent: Sequence[Sent]) -> dict[str, Counter[tuple[int, str]]]:
    return _carried(
        (number, piece) for each in sent for number, pieces in each.matches.items() for piece in pieces
    )


def _last(alerts: Sequence[Alert]) -> dict[str, Alert]:
    return {alert.id: alert for alert in sorted(alerts, key=lambda one: one.revision)}


def _equal(what: str, found: Counter[Any], wanted: Counter[Any]) -> None:
    if found != wanted:
        lost, more = wanted - found, found - wanted
        raise AssertionError(
            f"{what}: {lost.total()} lost, {more.total()} doubled or not wanted of {wanted.total()};"
            f" lost {list(lost)[:3]}, more {list(more)[:3]}"
        )
