"""What `outfall index` and `outfall page` do, apart from their options: imported only when they run."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from aiokafka.errors import KafkaError
from elasticsearch import ApiError, TransportError

from streams import log
from streams.cli import exits
from streams.cli.complaints import say_problems, standard_error
from streams.delivery_settings import Elasticsearch
from streams.errors import ConfigError
from streams.metrics import Metrics
from streams.runtime.deliver import Delivery, Sink
from streams.runtime.delivery_watch import DeliveryWatch
from streams.runtime.health import Health
from streams.runtime.topics import Topics
from streams.runtime.worker import FAILED
from streams.settings import Settings, load
from streams.sinks import alertmanager, elasticsearch_client, elasticsearch_setup
from streams.sinks.alertmanager import AlertmanagerSink
from streams.sinks.elasticsearch import ElasticsearchSink

logger = log.get(__name__)
_PAUSE = 2.0
"""Seconds after which it is looked again whether Elasticsearch is there."""

Made = Callable[[Settings, DeliveryWatch], AbstractAsyncContextManager[Sink]]


def run_index(config: Path) -> int:
    """Take alerts to Elasticsearch, and give the exit status."""
    return _run(config, "index", lambda settings: settings.elasticsearch.listen, _elasticsearch)


def run_page(config: Path) -> int:
    """Take pages to Alertmanager, and give the exit status."""
    return _run(config, "page", lambda settings: settings.paging.listen, _alertmanager)


@asynccontextmanager
async def _alertmanager(settings: Settings, watch: DeliveryWatch) -> AsyncIterator[Sink]:
    async with alertmanager.client(settings.paging) as session:
        yield AlertmanagerSink(session, settings.paging, watch, alive=watch.alive)


@asynccontextmanager
async def _elasticsearch(settings: Settings, watch: DeliveryWatch) -> AsyncIterator[Sink]:
    where = settings.elasticsearch
    while (away := await asyncio.to_thread(_check, where)) is not None:
        watch.again(away, 0)
        await asyncio.sleep(_PAUSE)
    watch.goes_on()
    async with elasticsearch_client.asynchronous(where) as client:
        yield ElasticsearchSink(client, where.prefix, watch, batch=where.batch, requests=where.requests)


def _check(where: Elasticsearch) -> str | None:
    """Refuse to start without templates; say why if it cannot be known yet whether they are there."""
    with elasticsearch_client.synchronous(where) as client:
        try:
            wrong = elasticsearch_setup.missing(client, where.prefix)
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


def _run(config: Path, name: str, listen: Callable[[Settings], str], made: Made) -> int:
    try:
        settings = load(config, places=False)
        log.configure(settings.worker.log)
        asyncio.run(_deliver(settings, name, listen(settings), made))
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


async def _deliver(settings: Settings, name: str, listen: str, made: Made) -> None:
    metrics = Metrics(topics=[Topics(settings).alerts])
    with Health(metrics, listen) as health:
        watch = DeliveryWatch(name, metrics, health)
        async with made(settings, watch) as sink:
            delivery = Delivery(settings, name, sink, watch)
            for number in (signal.SIGTERM, signal.SIGINT):
                asyncio.get_running_loop().add_signal_handler(number, delivery.stop)
            await delivery.run()
