"""The topics that outfall reads and writes: names, partitions, and how each is made.

```
raw topics ─read→ PREFIX.content ─trace→ PREFIX.matches ─correlate→ PREFIX.alerts
     └───────────────────────────────────↗       every step ──→ PREFIX.dead-letters
```
Each topic that a step reads has a state topic of as many partitions, `PREFIX.state.TOPIC`: the compacted
rows of that step's state, one writer for each partition.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from streams.setting_types import parse_duration
from streams.settings import Settings
from streams.source_settings import KafkaSource

DAY = 24 * 3600 * 1000
"""Milliseconds. Only whole segments are deleted, so that what must be forgotten needs short ones."""

SPREAD = "kafka.partitions"
FIXED = "always one"
"""What the partitions of a topic follow from, besides those of the sources."""

CONTENT_PARTITIONS = 1
"""Lineage of content runs through any identity, so that all that bears content meets in one place."""


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic; `ours` is false for a raw topic, which others may have made in another way.

    `setting` is what its partitions follow from. Where it `forgets`, its retention is also a promise that
    nothing stays longer.
    """

    name: str
    partitions: int
    replication: int
    meaning: str
    setting: str
    ours: bool = True
    forgets: bool = False
    config: Mapping[str, str] = field(default_factory=dict)


class Topics:
    """All topics of a configuration."""

    def __init__(self, settings: Settings) -> None:
        kafka = settings.kafka
        self.prefix = kafka.prefix
        self.sources = {each.topic: each for each in settings.sources if isinstance(each, KafkaSource)}
        self.content = f"{kafka.prefix}.content"
        self.matches = f"{kafka.prefix}.matches"
        self.alerts = f"{kafka.prefix}.alerts"
        self.events = f"{kafka.prefix}.events" if kafka.events else None
        self.dead_letters = f"{kafka.prefix}.dead-letters"
        self.configuration = f"{kafka.prefix}.configuration"
        self._settings = settings

    @property
    def group(self) -> str:
        """The consumer group of the workers."""
        return self.prefix

    @property
    def inputs(self) -> dict[str, int]:
        """The topics that the steps read, in the order of the way, with their partitions."""
        raw = {source.topic: source.partitions for source in self.sources.values()}
        return raw | {self.content: CONTENT_PARTITIONS, self.matches: self._settings.kafka.partitions}

    @property
    def publisher(self) -> str:
        """The name under which the one who publishes rules and enrichment writes."""
        return f"{self.prefix}.publish"

    def state(self, topic: str) -> str:
        """Give the state topic of the step that reads a topic."""
        return f"{self.prefix}.state.{topic}"

    def transactional_id(self, topic: str, partition: int) -> str:
        """Give the name under which the one task that reads a partition writes."""
        return f"{self.prefix}/{topic}/{partition}"  # no name of a topic holds a slash

    def __iter__(self) -> Iterator[Topic]:
        kafka = self._settings.kafka
        copies = kafka.replication
        safe = {"min.insync.replicas": str(max(1, copies - 1)), "cleanup.policy": "delete"}
        large = safe | {"max.message.bytes": str(kafka.max_message)}
        for source in self.sources.values():
            yield Topic(
                source.topic,
                source.partitions,
                copies,
                f"raw records of source {source.name}",
                self._setting(source.topic),
                ours=False,
                config=safe | {"message.timestamp.type": "LogAppendTime", "retention.ms": _ms("7d")},
            )
        week = large | {"retention.ms": _ms("7d")}
        yield Topic(
            self.content, CONTENT_PARTITIONS, copies, "events that bear content, and time", FIXED, config=week
        )
        yield Topic(self.matches, kafka.partitions, copies, "matched events, by group", SPREAD, config=week)
        yield Topic(
            self.alerts,
            kafka.partitions,
            copies,
            "revisions of alerts, by id",
            SPREAD,
            config=large | {"retention.ms": _ms("30d"), "message.timestamp.type": "LogAppendTime"},
        )
        if self.events is not None:
            meaning = "events as the rules saw them, by id; restricted"
            yield Topic(self.events, kafka.partitions, copies, meaning, SPREAD, config=week)
        retention = self._settings.dead_letters.retention // 1_000_000
        yield Topic(
            self.dead_letters,
            CONTENT_PARTITIONS,
            copies,
            "raw records that could not be processed; restricted",
            FIXED,
            forgets=True,
            config=large | {"retention.ms": str(retention), "segment.ms": str(max(1, min(retention, DAY)))},
        )
        compacted = large | {"cleanup.policy": "compact"}
        yield Topic(
            self.configuration,
            1,
            copies,
            "what workers have agreed on; rules and enrichment as published; restricted",
            FIXED,
            config=compacted,
        )
        for topic, partitions in self.inputs.items():
            yield Topic(
                self.state(topic),
                partitions,
                copies,
                f"state of the step that reads {topic}",
                self._setting(topic),
                config=compacted | {"segment.ms": _ms("1h"), "min.cleanable.dirty.ratio": "0.2"},
            )

    def _setting(self, topic: str) -> str:
        """Say what the partitions of a topic that is read follow from."""
        if topic in self.sources:
            return f"partitions of source {self.sources[topic].name}"
        return SPREAD if topic == self.matches else FIXED


def _ms(duration: str) -> str:
    return str(parse_duration(duration) // 1_000_000)
