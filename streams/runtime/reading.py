"""Reads records outside of any group, for commands; with aiokafka, since kafka-python cannot unpack LZ4."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from typing import Any, TypeVar

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from streams.errors import ConfigError
from streams.kafka_settings import Kafka
from streams.runtime.kafka_client import client_arguments, said

T = TypeVar("T")


@contextlib.asynccontextmanager
async def reading(kafka: Kafka, **options: Any) -> AsyncIterator[AIOKafkaConsumer]:
    """Give a consumer that has no partitions yet and commits nothing."""
    consumer = AIOKafkaConsumer(**client_arguments(kafka), enable_auto_commit=False, **options)
    try:
        await consumer.start()
        yield consumer
    finally:
        await consumer.stop()


def wait_for(what: str, coroutine: Coroutine[Any, Any, T], seconds: float) -> T:
    """Run a coroutine to its end; `what` begins the problem that is told. Not within an event loop.

    Raises:
        ConfigError: the brokers refused, or it took too long.
    """
    try:
        return asyncio.run(asyncio.wait_for(coroutine, seconds))
    except TimeoutError:
        raise ConfigError([f"{what}: the brokers did not answer within {seconds:.0f} seconds"]) from None
    except KafkaError as error:
        raise ConfigError([f"{what}: {said(error)}"]) from None
