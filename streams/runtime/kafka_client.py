"""How we connect to Kafka: with aiokafka for records, with kafka-python for administration."""

from __future__ import annotations

import logging
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from kafka import KafkaAdminClient
from kafka.errors import AuthorizationError, KafkaError, KafkaTimeoutError

from streams.errors import ConfigError
from streams.kafka_settings import Kafka, Security, password

CLIENT_ID = "outfall"
CONNECT = 10
"""Seconds within which a broker must answer: what a person waits for, and longer than an election takes."""

PATIENCE = 20
"""Seconds for which is asked again where an error may pass by itself: no leader or coordinator chosen yet."""

ASK_ACLS = "`outfall topics acls` prints what each role needs"

T = TypeVar("T")


def client_arguments(kafka: Kafka) -> dict[str, Any]:
    """Give the arguments that every client takes, aiokafka's and kafka-python's alike.

    Raises:
        ConfigError: a file of the security settings cannot be used.
    """
    arguments: dict[str, Any] = {
        "bootstrap_servers": kafka.bootstrap,
        "client_id": CLIENT_ID,
        "security_protocol": kafka.security.protocol,
    }
    if kafka.security.tls:
        arguments["ssl_context"] = tls_context(kafka.security)
    if kafka.security.sasl:
        arguments |= {
            "sasl_mechanism": kafka.security.mechanism,
            "sasl_plain_username": kafka.security.username,
            "sasl_plain_password": _password(kafka.security),
        }
    return arguments


def admin(kafka: Kafka) -> KafkaAdminClient:
    """Connect for administration.

    Raises:
        ConfigError: no broker answers, or a file of the security settings cannot be used.
    """
    patience = {"bootstrap_timeout_ms": CONNECT * 1000, "reconnect_backoff_max_ms": 1000}
    arguments = client_arguments(kafka) | patience
    reasons = _Reasons()
    log = logging.getLogger("kafka")
    log.propagate = False  # what matters is told by an exception
    log.setLevel(logging.WARNING)
    log.addHandler(reasons)
    try:
        return KafkaAdminClient(**arguments)
    except Exception as error:  # noqa: BLE001 - whatever it is, there is no connection
        where = ", ".join(kafka.bootstrap)
        hint = f"does a broker listen there that speaks {kafka.security.protocol}"
        if kafka.security.sasl:
            hint += ", and knows kafka.security.username and password_file"
        raise ConfigError(
            [f"kafka.bootstrap: {where}: no answer: {reasons.last or said(error)}; {hint}?"]
        ) from None
    finally:
        log.removeHandler(reasons)
        log.setLevel(logging.CRITICAL)


@contextmanager
def administration(kafka: Kafka) -> Iterator[KafkaAdminClient]:
    """Connect for administration; what the brokers refuse meanwhile is a problem to tell, not a crash.

    Raises:
        ConfigError: as `admin`; also what the brokers refused, or that they went away.
    """
    with admin(kafka) as client:
        try:
            yield client
        except AuthorizationError as error:
            raise ConfigError([f"kafka: this user may not do that: {said(error)}; {ASK_ACLS}"]) from None
        except KafkaError as error:
            raise ConfigError([f"kafka: {said(error)}"]) from None


def patiently(ask: Callable[[], T]) -> T:
    """Ask, and ask again for a while where the error may pass by itself; kafka-python does not."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return ask()
        except KafkaError as error:
            if not error.retriable or time.monotonic() > end:
                raise
        time.sleep(0.2)


def said(error: Exception) -> str:
    """Give the text of an error, its kind where it has none."""
    return str(error) or type(error).__name__


class _Reasons(logging.Handler):
    """Remembers why a connection failed: kafka-python only logs it, and raises that time has run out."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.last = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the error that a message is about."""
        for argument in record.args if isinstance(record.args, tuple) else ():
            if isinstance(argument, Exception) and not isinstance(argument, KafkaTimeoutError):
                self.last = said(argument)


def tls_context(security: Security) -> ssl.SSLContext:
    """Make what TLS needs.

    Raises:
        ConfigError: a certificate or key cannot be used.
    """
    try:
        context = ssl.create_default_context(cafile=security.ca)
        if security.certificate and security.key:
            context.load_cert_chain(security.certificate, security.key)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError([f"kafka.security: {error}"]) from None
    return context


def _password(security: Security) -> str:
    if security.password_file is None:
        return ""
    try:
        return password(security.password_file)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([f"kafka.security.password_file: {error}"]) from None
