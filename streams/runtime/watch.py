"""Tells metrics, health and the log how the tasks of a worker are doing."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection
from importlib import metadata

from faust.types import TP

from streams import log
from streams.event import NANOSECONDS
from streams.metrics import Metrics
from streams.rule import Mandate
from streams.runtime.assemble import Stages
from streams.runtime.health import STARTING, Health
from streams.runtime.task import Done
from streams.settings import Settings
from streams.source_settings import KafkaSource

logger = log.get(__name__)

_NO_PARTITIONS = "partitions"


class Watch:
    """How one worker is doing."""

    def __init__(self, settings: Settings, metrics: Metrics, health: Health) -> None:
        self._metrics = metrics
        self._health = health
        self._topics: set[str] = set()
        self._expiring: dict[str, Mandate] = {}
        self._sources = {each.topic: each.name for each in settings.sources if isinstance(each, KafkaSource)}
        health.not_ready(_NO_PARTITIONS, "no partitions assigned")
        for source in settings.sources:
            metrics.set("outfall_breaker_open", 0, source=source.name)
            metrics.set("outfall_allowed_lateness_seconds", source.lateness / NANOSECONDS, source=source.name)

    def beat(self) -> None:
        """Take note that the event loop turns."""
        self._health.beat()

    def connected(self) -> None:
        """Take note that the worker joins its group."""
        self._health.ready(STARTING)

    def runs(self, stages: Stages) -> None:
        """Take note of the rules and the configuration that run now."""
        book, edition = stages.parts.book, stages.parts.edition
        self._metrics.set("outfall_rules_loaded", len(book.rules))
        self._metrics.set("outfall_rules_refused", len(book.refused))
        version = metadata.version("outfall")
        self._metrics.forget(version=version)
        self._metrics.set(
            "outfall_build_info",
            1,
            version=version,
            rule_book=edition.version,
            configuration=edition.configuration or "",
            bundle=edition.bundle or "",
        )
        for name in self._expiring:
            self._metrics.forget(mandate=name)
        self._expiring = {one.name: one.mandate for one in book.mandates}
        for name, mandate in self._expiring.items():
            self._metrics.set("outfall_expiry_timestamp_seconds", mandate.until // NANOSECONDS, mandate=name)
        logger.info("rules loaded", rules=len(book.rules), refused=len(book.refused), rule_book=book.hash)

    def reloaded(self, *, failed: bool) -> None:
        """Take note of an attempt to run by other rules."""
        self._metrics.count("outfall_reloads_total", outcome="failed" if failed else "done")

    def lags(self, topic: str, partition: int, records: int) -> None:
        """Take note of how many records of a partition wait to be read."""
        self._metrics.set("outfall_consumer_lag_records", records, topic=topic, partition=partition)

    def breaks(self, topic: str, partition: int, why: str) -> None:
        """Take note that a partition is not read on, since most of its records are dead."""
        source = self._sources[topic]
        self._metrics.set("outfall_breaker_open", 1, source=source)
        self._health.not_ready(f"{topic}/{partition}", f"breaker open: {source} in {topic}/{partition}")
        logger.critical("breaker open", source=source, topic=topic, partition=partition, reason=why)

    def rebalancing(self) -> None:
        """Take note that the workers share out the partitions anew."""
        self._metrics.count("outfall_rebalances_total")

    def assigned(self, partitions: Collection[TP]) -> None:
        """Take note of the partitions that are ours now."""
        if partitions:
            self._health.ready(_NO_PARTITIONS)
        else:
            self._health.not_ready(_NO_PARTITIONS, "no partitions assigned: are there more workers?")
        counts = Counter(tp.topic for tp in partitions)
        for topic in self._topics | set(counts):
            self._metrics.set("outfall_partitions", counts[topic], topic=topic)
        self._topics |= set(counts)
        names = sorted(f"{tp.topic}/{tp.partition}" for tp in partitions)
        logger.info("partitions assigned", partitions=names)

    def dropped(self, topic: str, partition: int) -> None:
        """Take note that a partition is ours no more."""
        self._health.ready(f"{topic}/{partition}")
        self._metrics.forget(topic=topic, partition=partition)

    def of(self, stage: str, topic: str, partition: int) -> TaskWatch:
        """Watch one task."""
        source = self._sources.get(topic, topic)
        return TaskWatch(self._metrics, self._health, stage, topic, partition, source)


class TaskWatch:
    """How one task is doing; see `task.Watcher`."""

    def __init__(
        self, metrics: Metrics, health: Health, stage: str, topic: str, partition: int, source: str
    ) -> None:
        self._metrics = metrics
        self._health = health
        self._stage = stage
        self._source_name = source
        self._topic = topic
        self._partition = partition
        self._key = f"{topic}/{partition}"

    def restoring(self, share: float) -> None:
        """Take note of how much of the state has been read back."""
        self._health.not_ready(self._key, f"restoring {self._key}: {share:.0%}")

    def restored(self, rows: int, seconds: float) -> None:
        """Take note that all of it has."""
        self._health.ready(self._key)
        self._metrics.observe("outfall_restore_seconds", seconds, topic=self._topic)
        self._metrics.count("outfall_restored_rows_total", rows, topic=self._topic)
        logger.info(
            "state restored",
            topic=self._topic,
            partition=self._partition,
            rows=rows,
            seconds=round(seconds, 3),
        )

    def skipped(self, records: int) -> None:
        """Take note of records that were read again, though they had been processed."""
        logger.info("records read again", topic=self._topic, partition=self._partition, records=records)
        self._metrics.count("outfall_events_duplicate_total", records, topic=self._topic)

    def done(self, done: Done) -> None:
        """Take note that a batch is safe."""
        metrics, sent = self._metrics, done.sent
        if done.records:
            metrics.observe("outfall_batch_records", len(done.records), stage=self._stage)
            lag = time.time() - done.records[0].timestamp / 1000
            metrics.observe("outfall_processing_lag_seconds", max(0.0, lag), stage=self._stage)
        metrics.observe("outfall_batch_seconds", done.computing, stage=self._stage)
        metrics.observe("outfall_produce_seconds", done.waiting, stage=self._stage)
        metrics.count("outfall_state_changes_total", done.changes, topic=self._topic)
        metrics.count("outfall_state_bytes_total", done.changed_bytes, topic=self._topic)
        place: dict[str, str | int] = {"topic": self._topic, "partition": self._partition}
        for table, rows in done.rows.items():
            metrics.set("outfall_state_rows", rows, table=table, **place)
        if "tracks" in done.rows:
            metrics.set("outfall_groups", done.rows["tracks"], **place)
        self._rules(done)
        self._alerts(done)
        for letter in done.letters:
            metrics.count(
                "outfall_dead_letters_total",
                source=letter.origin.source,
                stage=letter.stage,
                error=letter.error,
            )
        if self._stage == "read":
            self._source(done)
        elif sent.final_before is not None:
            metrics.set(
                "outfall_watermark_timestamp_seconds",
                sent.final_before / NANOSECONDS,
                topic=self._topic,
                partition=self._partition,
            )

    def _source(self, done: Done) -> None:
        counts = done.sent.counts
        source = self._source_name
        rejected = counts["rejected"] + len(done.letters) - len(done.sent.dead_letters)
        for outcome, number in (
            ("event", counts["events"]),
            ("ignored", counts["ignored"]),
            ("rejected", rejected),
            ("marker", counts["markers"]),
        ):
            if number:
                self._metrics.count("outfall_records_total", number, source=source, outcome=outcome)
        if counts["clock_ahead"]:
            self._metrics.count("outfall_events_clock_ahead_total", counts["clock_ahead"], source=source)
        for name, newest in done.sent.newest.items():
            self._metrics.set("outfall_newest_event_timestamp_seconds", newest / NANOSECONDS, source=name)
            if done.records:
                lag = done.records[-1].timestamp / 1000 - newest / NANOSECONDS
                self._metrics.set("outfall_event_time_lag_seconds", lag, source=name)

    def _rules(self, done: Done) -> None:
        sent = done.sent
        for rule, number in sent.fired.items():
            if number:
                self._metrics.count("outfall_firings_total", number, rule=rule)
        for rule, number in sent.matched.items():
            self._metrics.count("outfall_matches_total", number, rule=rule)
        if sent.counts["rules_tried"]:
            self._metrics.count("outfall_rules_tried_total", sent.counts["rules_tried"])
        for failure in sent.failures:
            self._metrics.count("outfall_rule_failures_total", rule=failure.rule.id)
            logger.warning("rule failed on an event", rule=failure.rule.id, place=str(failure.rule.place))
        if unknown := sent.counts["unknown_rules"]:
            self._metrics.count("outfall_unknown_rules_total", unknown)
            logger.warning("matches of rules that are not in this worker's rule book", count=unknown)

    def _alerts(self, done: Done) -> None:
        sent = done.sent
        for alert in sent.alerts:
            if alert.suppressed_by:
                for name in alert.suppressed_by if alert.revision == 1 else ():
                    self._metrics.count("outfall_alerts_suppressed_total", rule=alert.rule.id, exception=name)
                continue
            self._metrics.count(
                "outfall_alerts_total", rule=alert.rule.id, severity=alert.severity, status=alert.status.value
            )
            if alert.page:
                self._metrics.count("outfall_pages_total", rule=alert.rule.id, severity=alert.severity)
            if alert.revision == 1:
                logger.info("alert raised", alert=alert.id, rule=alert.rule.id)
        if shortened := sent.counts["shortened"]:
            self._metrics.count("outfall_alerts_shortened_total", shortened)
            logger.warning("alerts are too large for a message and were shortened", count=shortened)
        if sent.counts["late"]:
            self._metrics.count("outfall_events_late_total", sent.counts["late"])
        for limit in ("values", "values_recomputed", "chained_evidence", "groups"):
            if number := sent.counts[f"limits.{limit}"]:
                self._metrics.count("outfall_left_out_total", number, limit=limit)
