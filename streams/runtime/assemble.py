"""Makes the stages that a worker runs, of what its settings name."""

from __future__ import annotations

from dataclasses import replace

from streams.detect.ruleset import RuleSet
from streams.enrich import Enricher
from streams.normalise import FORMATS
from streams.runtime.agreement import agreement, digest
from streams.runtime.build import load_parts
from streams.runtime.cache import user_cache
from streams.runtime.inputs import MessageInput, RawInput
from streams.runtime.publication import Publication
from streams.runtime.task import Input
from streams.runtime.topics import Topics
from streams.settings import Settings
from streams.stages.breaker import Bounds
from streams.stages.correlate import CorrelateStage
from streams.stages.parts import Parts
from streams.stages.read import ReadStage
from streams.stages.reader import Source
from streams.stages.trace import TraceStage


class Stages:
    """One edition of rules and enrichment, and the stages that run by it."""

    def __init__(self, settings: Settings, topics: Topics, parts: Parts) -> None:
        self.parts = parts
        self._settings = settings
        self._topics = topics
        self._router = parts.router()
        self._enricher = Enricher(parts.enrichment)  # what it says of an event alone needs no state

    def step(self, topic: str) -> str:
        """Give the name of the step that reads a topic."""
        return {self._topics.content: "trace", self._topics.matches: "correlate"}.get(topic, "read")

    def input(self, topic: str, partition: int) -> Input:
        """Make the stage that reads a partition, with what feeds it."""
        upstream = f"{topic}/{partition}"
        if topic == self._topics.content:
            stage = TraceStage(
                {
                    f"{source.topic}/{number}": source.name
                    for source in self._topics.sources.values()
                    for number in range(source.partitions)
                },
                {source.name: source.lateness for source in self._topics.sources.values()},
                upstream,
                self.parts,
                Enricher(self.parts.enrichment),
                self._router,
            )
            return MessageInput(topic, partition, stage)
        if topic == self._topics.matches:
            return MessageInput(topic, partition, CorrelateStage(partition, self.parts, self._router))
        source = self._topics.sources[topic]
        read = Source(source.name, FORMATS[source.format], source.zone, source.lateness)
        return RawInput(
            topic,
            partition,
            source.name,
            ReadStage(read, upstream, self.parts, self._enricher, self._router),
        )


def assemble(settings: Settings, topics: Topics, publication: Publication | None = None) -> Stages:
    """Load rules, severity and enrichment: those that the settings name, or those of a publication.

    Raises:
        ConfigError: with the problems of all three.
    """
    if publication is not None:
        settings = publication.unpack(settings.state, settings)
    book, severity, enrichment, edition = load_parts(settings)
    if publication is not None and edition.bundle is None:
        edition = replace(edition, revision=publication.revision)
    breaker = settings.dead_letters.breaker
    parts = Parts(
        book,
        RuleSet(book, cache=user_cache()),
        enrichment,
        severity,
        replace(edition, configuration=digest(agreement(settings, enrichment.pseudonyms))),
        settings.limits,
        settings.clock_skew,
        settings.kafka.partitions,
        Bounds(breaker.share, breaker.records),
    )
    return Stages(settings, topics, parts)
