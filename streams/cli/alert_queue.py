"""Opens the place where alerts are looked for: imported only when a command runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from elasticsearch import ApiError, TransportError

from streams.errors import ConfigError
from streams.runtime.store import FILE, Store
from streams.settings import Settings, load
from streams.sinks.elasticsearch_client import said, synchronous
from streams.sinks.elasticsearch_queue import ElasticsearchQueue
from streams.sinks.handling import Queue


@contextmanager
def queue(config: Path) -> Iterator[Queue]:
    """Open what `alerts.place` names.

    Raises:
        ConfigError: the settings are wrong, or what they name is not there or does not answer.
    """
    settings = load(config, places=False)
    if settings.alerts.place == "elasticsearch":
        with _elasticsearch(settings) as found:
            yield found
    elif not (settings.state / FILE).exists():
        raise ConfigError([f"{settings.state}: there is no store yet; `outfall run` makes it"])
    else:
        with Store(settings.state) as store:
            yield store.alerts


@contextmanager
def _elasticsearch(settings: Settings) -> Iterator[Queue]:
    where = settings.elasticsearch
    with synchronous(where) as client:
        try:
            yield ElasticsearchQueue(client, where.prefix)
        except (ApiError, TransportError) as error:
            raise ConfigError([f"elasticsearch: {', '.join(where.hosts)}: {said(error)}"]) from None
