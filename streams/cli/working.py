"""What `outfall worker` does, apart from its options: imported only when it runs."""

from __future__ import annotations

import asyncio
from pathlib import Path

from streams import log
from streams.cli import exits
from streams.cli.complaints import say_problems, standard_error
from streams.errors import ConfigError
from streams.metrics import Metrics
from streams.normalise import FORMATS
from streams.runtime.build import misplaced
from streams.runtime.editions import Editions
from streams.runtime.garbage import spare_garbage_collection
from streams.runtime.health import Health
from streams.runtime.topic_admin import check_topics
from streams.runtime.topics import Topics
from streams.runtime.watch import Watch
from streams.runtime.worker import Worker
from streams.settings import Settings, load


def run(config: Path) -> int:
    """Work, and give the exit status."""
    try:
        # What the settings name is looked for when it is needed: rules may be published, state stays unused.
        settings = load(config, formats=FORMATS, places=False)
        log.configure(settings.worker.log)
        asyncio.run(_work(settings))
    except ConfigError as error:
        say_problems(standard_error(), error)
        return exits.USAGE
    return exits.DONE


async def _work(settings: Settings) -> None:
    if problems := misplaced(settings, live=True):
        raise ConfigError(problems)
    topics = Topics(settings)
    metrics = Metrics([source.name for source in settings.sources], topics.inputs)
    with Health(metrics, settings.worker.listen) as health:
        watch = Watch(settings, metrics, health)
        editions = Editions(settings, topics, lambda: watch.reloaded(failed=True))
        stages = await editions.first()
        if problems := await asyncio.to_thread(check_topics, settings, stages.parts.enrichment.pseudonyms):
            raise ConfigError(problems)
        watch.runs(stages)
        spare_garbage_collection()
        await Worker(settings, stages, watch).run(editions.further())
