"""How we connect to Kafka: with aiokafka for records, with kafka-python for administration."""

from __future__ import annotations

import logging
import ssl
from typing import Any

from kafka import KafkaAdminClient

from streams.errors import ConfigError
from streams.kafka_settings import Kafka, Security, password

CLIENT_ID = "outfall"


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
    logging.getLogger("kafka").setLevel(logging.CRITICAL)  # what matters is told by the exception
    try:
        return KafkaAdminClient(**client_arguments(kafka))
    except Exception as error:  # noqa: BLE001 - whatever it is, there is no connection
        raise ConfigError([f"kafka.bootstrap: {', '.join(kafka.bootstrap)}: {_said(error)}"]) from None


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


def _said(error: Exception) -> str:
    return str(error) or type(error).__name__
