"""What `outfall index` and `outfall page` do, apart from their options: imported only when they run."""

from __future__ import annotations

import asyncio
import datetime as dt
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Generic

from aiokafka.errors import KafkaError
from elasticsearch import ApiError, AsyncElasticsearch, TransportError
from elasticsearch import Elasticsearch as Client

from streams import log
from streams.alert import Alert
from streams.cli import exits
from streams.cli.complaints import say_problems, standard_error
from streams.delivery_settings import Elasticsearch
from streams.errors import ConfigError
from streams.metrics import Metrics
from streams.runtime.deliver import Delivery, Sink
from streams.runtime.delivered import Delivered, alerts, events
from streams.runtime.delivery_watch import DeliveryWatch
from streams.runtime.health import Health
from streams.runtime.topics import Topics
from streams.runtime.worker import FAILED
from streams.settings import Settings, load
from streams.sinks import alertmanager, elasticsearch_client, elasticsearch_events, elasticsearch_setup
from streams.sinks.alertmanager import AlertmanagerSink
from streams.sinks.elasticsearch import ElasticsearchSink
from streams.sinks.elasticsearch_events import EventSink, StoredEvent
from streams.sinks.sink import T

logger = log.get(__name__)
_PAUSE = 2.0
"""Seconds after which it is looked again whether Elasticsearch is there."""


@dataclass(frozen=True, slots=True)
class _Way(Generic[T]):
    """A way of delivery: its name, where it says how it does, what it takes, and how its sink is made."""

    name: str
    listen: Callable[[Settings], str]
    delivered: Callable[[Topics], Delivered[T]]
    made: Callable[[Settings, DeliveryWatch], AbstractAsyncContextManager[Sink[T]]]


def run_index(config: Path) -> int:
    """Take alerts to Elasticsearch, and give the exit status."""
    return _run(config, _Way("index", lambda settings: settings.elasticsearch.listen, alerts, _index))


def run_index_events(config: Path) -> int:
    """Take events to Elasticsearch, and give the exit status."""
    listen = lambda settings: settings.elasticsearch.events_listen  # noqa: E731 - short
    return _run(config, _Way("index-events", listen, events, _index_events))


def run_page(config: Path) -> int:
    """Take pages to Alertmanager, and give the exit status."""
    return _run(config, _Way("page", lambda settings: settings.paging.listen, alerts, _page))


@asynccontextmanager
async def _page(settings: Settings, watch: DeliveryWatch) -> AsyncIterator[Sink[Alert]]:
    async with alertmanager.client(settings.paging) as session:
        yield AlertmanagerSink(session, settings.paging, watch, alive=watch.alive)


@asynccontextmanager
async def _index(settings: Settings, watch: DeliveryWatch) -> AsyncIterator[Sink[Alert]]:
    where = settings.elasticsearch
    async with _elasticsearch(where, watch, elasticsearch_setup.missing) as client:
        yield ElasticsearchSink(
            client,
            where.prefix,
            watch,
            kibana=where.kibana if settings.kafka.events else None,
            batch=where.batch,
            requests=where.requests,
        )


@asynccontextmanager
async def _index_events(settings: Settings, watch: DeliveryWatch) -> AsyncIterator[Sink[StoredEvent]]:
    where = settings.elasticsearch
    today = dt.datetime.now(dt.UTC).date()
    async with _elasticsearch(where, watch, partial(elasticsearch_events.prepare, today=today)) as client:
        yield EventSink(client, where.prefix, watch, batch=where.batch, requests=where.requests)


Missing = Callable[[Client, str], str | None]


@asynccontextmanager
async def _elasticsearch(
    where: Elasticsearch, watch: DeliveryWatch, missing: Missing
) -> AsyncIterator[AsyncElasticsearch]:
    """Connect once the server is there and has what is needed."""
    while (away := await asyncio.to_thread(_check, where, missing)) is not None:
        watch.again(away, 0)
        await asyncio.sleep(_PAUSE)
    watch.goes_on()
    async with elasticsearch_client.asynchronous(where) as client:
        yield client


def _check(where: Elasticsearch, missing: Missing) -> str | None:
    """Refuse to start without templates; say why if it cannot be known yet whether they are there."""
    with elasticsearch_client.synchronous(where) as client:
        try:
            wrong = missing(client, where.prefix)
        except TransportError as error:
            return type(error).__name__
        except ApiError as error:
            if error.status_code in elasticsearch_client.PASSING:
                return str(error.status_code)
            why = f"elasticsearch: {', '.join(where.hosts)}: {elasticsearch_client.said(error)}"
            raise ConfigError([why]) from None
    if wrong is not None:
        raise ConfigError([f"elasticsearch: {wrong}; `outfall elasticsearch setup` installs what is needed"])
    return None


def _run(config: Path, way: _Way[T]) -> int:
    try:
        settings = load(config, places=False)
        log.configure(settings.worker.log)
        asyncio.run(_deliver(settings, way))
    except ConfigError as error:
        say_problems(standard_error(), error)
        return exits.USAGE
    except KafkaError as error:
        logger.critical("cannot go on", error=type(error).__name__, reason=str(error))
        return FAILED
    except Exception:
        logger.exception("cannot go on")  # the log leaves out what could hold an alert's content
        return FAILED
    return exits.DONE


async def _deliver(settings: Settings, way: _Way[T]) -> None:
    delivered = way.delivered(Topics(settings))
    metrics = Metrics(topics=[delivered.topic])
    with Health(metrics, way.listen(settings)) as health:
        watch = DeliveryWatch(way.name, metrics, health)
        async with way.made(settings, watch) as sink:
            delivery = Delivery(settings, way.name, delivered, sink, watch)
            for number in (signal.SIGTERM, signal.SIGINT):
                asyncio.get_running_loop().add_signal_handler(number, delivery.stop)
            await delivery.run()
