"""Makes the pipeline and the inputs that the settings describe."""

from __future__ import annotations

import os

from streams.correlate.severity import SeverityTable
from streams.correlate.severity import load as load_severity
from streams.detect.load import RuleBook
from streams.detect.load import load as load_rules
from streams.detect.ruleset import RuleSet
from streams.enrich import Enricher
from streams.enrich.load import KEY_VARIABLE
from streams.enrich.load import load as load_enrichment
from streams.errors import ConfigError
from streams.normalise import FORMATS
from streams.pipeline import Pipeline, Source
from streams.runtime.edition import edition
from streams.runtime.feed import Clock, Input
from streams.runtime.files import FileInput
from streams.runtime.received import ReceivedInput, from_stdin, from_syslog
from streams.runtime.store import Store
from streams.settings import Settings
from streams.source_settings import FileSource, StdinSource


def build_pipeline(settings: Settings) -> tuple[Pipeline, RuleBook]:
    """Load rules, severity table and enrichment; the book says which rules were refused.

    Raises:
        ConfigError: with the problems of all three.
    """
    problems: list[str] = []
    table, enricher, book = SeverityTable(), None, None
    try:
        book = load_rules(settings.rules)
    except ConfigError as error:
        problems += error.problems
    try:
        table = load_severity(settings.severity, settings.rules)
    except ConfigError as error:
        problems += error.problems
    try:
        enricher = Enricher(load_enrichment(settings.enrich, key=os.environ.get(KEY_VARIABLE)))
    except ConfigError as error:
        problems += error.problems
    if problems or book is None or enricher is None:
        raise ConfigError(problems)
    sources = [
        Source(source.name, FORMATS[source.format], source.zone, source.lateness)
        for source in settings.sources
    ]
    pipeline = Pipeline(
        sources,
        RuleSet(book),
        book,
        enricher,
        table,
        clock_skew=settings.clock_skew,
        edition=edition(book, settings.rules),
    )
    return pipeline, book


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
        else:
            listen = None if once else from_syslog(source.listen, FORMATS[source.format].recognises)
            inputs.append(ReceivedInput(spool, source.name, positions, clock=clock, receive=listen))
    return inputs
