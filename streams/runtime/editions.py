"""Where a worker has its rules from, at the start and again: files at SIGHUP, the topic when it changes."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable

from aiokafka.errors import KafkaError

from streams import log
from streams.errors import ConfigError
from streams.runtime.assemble import Stages, assemble
from streams.runtime.kafka_client import client_arguments
from streams.runtime.publication import Publication, follow
from streams.runtime.topics import Topics
from streams.settings import Settings

EVERY = 2.0
"""Seconds between looks at the topic of published rules."""

logger = log.get(__name__)


class Editions:
    """The stages of a worker's settings, as they are now and as they become.

    A change that cannot be used is told (`failed`), and the former rules go on.
    """

    def __init__(self, settings: Settings, topics: Topics, failed: Callable[[], None]) -> None:
        self._settings = settings
        self._topics = topics
        self._failed = failed
        self._published: Publication | None = None

    async def first(self) -> Stages:
        """Load what to start with.

        Raises:
            ConfigError: it cannot be used, or nothing has been published.
        """
        if self._settings.worker.configuration == "topic":
            try:
                async for publication in self._follow():
                    self._published = publication
                    break
            except KafkaError as error:
                raise ConfigError([f"topic {self._topics.configuration}: {error}"]) from None
            if self._published is None:
                raise ConfigError(
                    [f"topic {self._topics.configuration}: no rules are published; use `outfall publish`"]
                )
        return await self._assembled(self._published)

    async def further(self) -> AsyncIterator[Stages]:
        """Give the stages of each change that can be used."""
        changes = self._changes() if self._settings.worker.configuration == "topic" else self._hangups()
        async for publication in changes:
            try:
                yield await self._assembled(publication)
            except ConfigError as error:
                self._failed()
                for problem in error.problems:
                    logger.warning("new rules or enrichment cannot be used", reason=problem)

    async def _assembled(self, publication: Publication | None) -> Stages:
        return await asyncio.to_thread(assemble, self._settings, self._topics, publication)

    async def _hangups(self) -> AsyncIterator[None]:
        asked = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, asked.set)
        while True:
            await asked.wait()
            asked.clear()
            yield None

    async def _changes(self) -> AsyncIterator[Publication]:
        while True:
            try:
                async for publication in self._follow():
                    if publication is not None and publication != self._published:
                        self._published = publication
                        yield publication
            except KafkaError as error:
                logger.warning("published rules cannot be looked for", error=type(error).__name__)
                await asyncio.sleep(10 * EVERY)

    def _follow(self) -> AsyncIterator[Publication | None]:
        return follow(client_arguments(self._settings.kafka), self._topics.configuration, EVERY)
