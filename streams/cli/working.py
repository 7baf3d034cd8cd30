"""What `outfall worker` does, apart from its options: imported only when it runs."""

from __future__ import annotations

import asyncio
from importlib import metadata
from pathlib import Path

from streams import log
from streams.cli import exits
from streams.cli.complaints import say_problems, standard_error
from streams.errors import ConfigError
from streams.metrics import Metrics
from streams.normalise import FORMATS
from streams.runtime.assemble import assemble
from streams.runtime.build import misplaced
from streams.runtime.garbage import spare_garbage_collection
from streams.runtime.health import Health
from streams.runtime.topics import Topics
from streams.runtime.watch import Watch
from streams.runtime.worker import Worker
from streams.settings import Settings, load


def run(config: Path) -> int:
    """Work, and give the exit status."""
    try:
        settings = load(config, formats=FORMATS)
        log.configure(settings.worker.log)
        _work(settings)
    except ConfigError as error:
        say_problems(standard_error(), error)
        return exits.USAGE
    return exits.DONE


def _work(settings: Settings) -> None:
    if problems := misplaced(settings, live=True):
        raise ConfigError(problems)
    topics = Topics(settings)
    stages = assemble(settings, topics)
    spare_garbage_collection()
    metrics = Metrics([source.name for source in settings.sources], topics.inputs)
    book = stages.parts.book
    metrics.set("outfall_rules_loaded", len(book.rules))
    metrics.set("outfall_rules_refused", len(book.refused))
    metrics.set(
        "outfall_build_info",
        1,
        version=metadata.version("outfall"),
        rule_book=book.hash,
        configuration="",
    )
    with Health(metrics, settings.worker.listen) as health:
        worker = Worker(settings, stages, Watch(settings, metrics, health))
        asyncio.run(worker.run())
