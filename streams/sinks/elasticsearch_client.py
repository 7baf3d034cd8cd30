"""How we connect to Elasticsearch: asynchronously to write, and otherwise not."""

from __future__ import annotations

import ssl
from typing import Any

from elasticsearch import ApiError, AsyncElasticsearch, Elasticsearch, TransportError

from streams import delivery_settings
from streams.errors import ConfigError
from streams.kafka_settings import password

PASSING = (429, 502, 503, 504)
"""Statuses that pass by themselves."""
TIMEOUT = 60
"""Seconds after which a request counts as lost."""


def arguments(settings: delivery_settings.Elasticsearch) -> dict[str, Any]:
    """Give the arguments that both clients take; they try nothing again by themselves.

    Raises:
        ConfigError: a file of the settings cannot be used.
    """
    given: dict[str, Any] = {"request_timeout": TIMEOUT, "max_retries": 0, "retry_on_timeout": False}
    try:
        if settings.ca is not None:
            given["ssl_context"] = ssl.create_default_context(cafile=settings.ca)
        if settings.api_key_file is not None:
            given["api_key"] = password(settings.api_key_file)
        if settings.username is not None and settings.password_file is not None:
            given["basic_auth"] = (settings.username, password(settings.password_file))
    except (OSError, UnicodeDecodeError, ssl.SSLError) as error:
        raise ConfigError([f"elasticsearch: {error}"]) from None
    return given


def asynchronous(settings: delivery_settings.Elasticsearch) -> AsyncElasticsearch:
    """Give the client that writes alerts; it connects when it is first used.

    Raises:
        ConfigError: as `arguments`.
    """
    return AsyncElasticsearch(settings.hosts, **arguments(settings))


def synchronous(settings: delivery_settings.Elasticsearch) -> Elasticsearch:
    """Give the client of commands.

    Raises:
        ConfigError: as `arguments`.
    """
    return Elasticsearch(settings.hosts, **arguments(settings))


def said(error: ApiError | TransportError) -> str:
    """Give an error in one line, without what a document holds."""
    if isinstance(error, ApiError):
        return f"it answers {error.status_code} ({error.error})"
    return f"no answer: {type(error).__name__}"
