"""Makes the pipeline and the inputs that the settings describe."""

from __future__ import annotations

import os
from typing import NamedTuple

from streams.correlate.describe import Edition
from streams.correlate.severity import SeverityTable
from streams.correlate.severity import load as load_severity
from streams.detect.load import RuleBook
from streams.detect.load import load as load_rules
from streams.detect.ruleset import RuleSet
from streams.enrich import EnrichConfig, Enricher
from streams.enrich.load import load as load_enrichment
from streams.enrich.load import stated_key
from streams.errors import ConfigError
from streams.normalise import FORMATS
from streams.pipeline import Pipeline
from streams.runtime.bundle import SUFFIX, Bundle, folders, is_bundle, public_key, unpack
from streams.runtime.cache import user_cache
from streams.runtime.edition import edition
from streams.runtime.feed import Clock, Input
from streams.runtime.files import FileInput
from streams.runtime.put_aside import put_aside
from streams.runtime.received import ReceivedInput, from_stdin, from_syslog
from streams.runtime.store import Store
from streams.runtime.topics import Topics
from streams.setting_types import is_glob
from streams.settings import Settings
from streams.source_settings import FileSource, KafkaSource, StdinSource, SyslogSource
from streams.stages.reader import Source


class Parts(NamedTuple):
    """What the pipeline is made of; the book says which rules were refused."""

    book: RuleBook
    severity: SeverityTable
    enrichment: EnrichConfig
    edition: Edition


def load_parts(settings: Settings) -> Parts:
    """Load rules, severity table and enrichment.

    Raises:
        ConfigError: with the problems of all three; also where no rule is left to run.
    """
    problems: list[str] = []
    table, enrichment, book = SeverityTable(), None, None
    settings, bundle = _opened(settings)
    try:
        book = load_rules(settings.rules, user_cache())
        if not book.rules:
            problems += map(str, book.refused)
            problems.append(f"{', '.join(map(str, settings.rules))}: there is no rule that could run")
    except ConfigError as error:
        problems += error.problems
    try:
        table = load_severity(settings.severity, settings.rules)
    except ConfigError as error:
        problems += error.problems
    try:
        enrichment = load_enrichment(settings.enrich, key=stated_key(os.environ))
    except ConfigError as error:
        problems += error.problems
    if problems or book is None or enrichment is None:
        raise ConfigError(problems)
    if bundle is None:
        return Parts(book, table, enrichment, edition(book, settings.rules))
    return Parts(book, table, enrichment, Edition(book.hash, bundle.revision, bundle=bundle.id))


def _opened(settings: Settings) -> tuple[Settings, Bundle | None]:
    """Give settings that name the files of a bundle, where the rules are one, and the bundle.

    Raises:
        ConfigError: it cannot be used, or is not signed by the key that is set.
    """
    key = None if settings.rules_key is None else public_key(settings.rules_key)
    path = next(filter(is_bundle, settings.rules), None)
    if path is None:
        if key is not None:
            raise ConfigError([f"rules: with rules_key they must be one bundle, whose name ends {SUFFIX}"])
        return settings, None
    if len(settings.rules) > 1:
        raise ConfigError([f"rules: {path} is a bundle, which stands alone"])
    try:
        bundle = unpack(path.read_bytes(), str(path), key)
    except OSError as error:
        raise ConfigError([f"{path}: {error.strerror}"]) from None
    folder = settings.state / "bundles" / bundle.id[:16]
    put_aside(bundle.files, folder)
    return settings.model_copy(update={"rules": folders(bundle.files, folder)}), bundle


def build_pipeline(settings: Settings) -> tuple[Pipeline, RuleBook]:
    """Make the pipeline, and give the rule book, which says what was refused.

    Raises:
        ConfigError: with the problems of all its parts.
    """
    parts = load_parts(settings)
    return pipeline_of(settings, parts, clock_skew=settings.clock_skew), parts.book


def pipeline_of(settings: Settings, parts: Parts, *, clock_skew: int | None, enrich: bool = True) -> Pipeline:
    """Make the pipeline of parts; without `clock_skew` for stored records, of which receipt says nothing.

    Events that have been enriched before are not to `enrich` again.
    """
    return Pipeline(
        sources_of(settings),
        RuleSet(parts.book, cache=user_cache()),
        parts.book,
        Enricher(parts.enrichment) if enrich else None,
        parts.severity,
        clock_skew=clock_skew,
        edition=parts.edition,
        limits=settings.limits,
    )


def sources_of(settings: Settings) -> list[Source]:
    """Give the sources as the pipeline knows them."""
    return [
        Source(source.name, FORMATS[source.format], source.zone, source.lateness)
        for source in settings.sources
    ]


def missing_logs(settings: Settings) -> list[str]:
    """Say which logs that are named exactly, not by a glob, are not there."""
    return [
        f"source {source.name}: {source.path}: there is no such file"
        for source in settings.sources
        if isinstance(source, FileSource) and not is_glob(str(source.path)) and not source.path.exists()
    ]


def misplaced(settings: Settings, *, live: bool) -> list[str]:
    """Say which sources are not for this shell: `outfall worker` reads Kafka alone, and no other does."""
    shell, other = ("worker", "run") if live else ("run", "worker")
    found = [
        f"source {source.name}: kind {source.kind} is read by `outfall {other}`, not by `outfall {shell}`"
        for source in settings.sources
        if isinstance(source, KafkaSource) is not live
    ]
    if live:
        ours = {topic.name for topic in Topics(settings) if topic.ours}
        found += [
            f"source {source.name}: topic {source.topic} is one of ours; name another, or change kafka.prefix"
            for source in settings.sources
            if isinstance(source, KafkaSource) and source.topic in ours
        ]
    return found


def build_inputs(settings: Settings, store: Store, *, once: bool, clock: Clock) -> list[Input]:
    """Open all sources; with `once` logs end where they end now, and nothing is listened to.

    Raises:
        OSError: an address cannot be listened at.
    """
    inputs: list[Input] = []
    spool = settings.state / "spool"
    for source in settings.sources:
        positions = store.positions(source.name)
        if isinstance(source, FileSource):
            inputs.append(FileInput(source.name, source.path, positions, clock=clock, final=once))
        elif isinstance(source, StdinSource):
            receive = from_stdin(0)
            inputs.append(ReceivedInput(spool, source.name, positions, clock=clock, receive=receive))
        elif isinstance(source, SyslogSource):
            listen = None if once else from_syslog(source.listen, FORMATS[source.format].recognises)
            inputs.append(ReceivedInput(spool, source.name, positions, clock=clock, receive=listen))
    return inputs
