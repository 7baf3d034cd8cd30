"""The settings of `outfall worker` and the commands beside it: where Kafka is, and how it is spoken to."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from streams.setting_types import Duration, ExistingPath, Part

TOPIC = r"^[A-Za-z0-9._-]{1,200}$"


class Security(Part):
    """How the brokers know us, and we them. Secrets stand in files, never in the settings."""

    protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        default="PLAINTEXT", description="What the brokers' listener speaks."
    )
    ca: ExistingPath | None = Field(
        default=None, description="The certificates (PEM) that vouch for the brokers; else the system's."
    )
    certificate: ExistingPath | None = Field(
        default=None, description="Our own certificate (PEM), where the brokers ask for one (mTLS)."
    )
    key: ExistingPath | None = Field(default=None, description="The private key (PEM) of `certificate`.")
    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        default="SCRAM-SHA-512", description="How a user proves its password (SASL)."
    )
    username: str | None = Field(default=None, min_length=1, description="The user (SASL).")
    password_file: ExistingPath | None = Field(
        default=None, description="The file whose first line is the user's password (SASL)."
    )

    @property
    def tls(self) -> bool:
        """Whether the connection is encrypted."""
        return self.protocol in ("SSL", "SASL_SSL")

    @property
    def sasl(self) -> bool:
        """Whether a user logs on."""
        return self.protocol.startswith("SASL")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.sasl and (self.username is None or self.password_file is None):
            raise ValueError(f"{self.protocol} needs username and password_file")
        if not self.sasl and self.username is not None:
            raise ValueError(f"username is for SASL, and protocol is {self.protocol}")
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key belong together")
        if not self.tls and (self.ca or self.certificate):
            raise ValueError(f"ca and certificate are for TLS, and protocol is {self.protocol}")
        return self


def _broker(address: str) -> str:
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 2**16:
        raise ValueError("write HOST:PORT, for instance 127.0.0.1:9092")
    return address


class Kafka(Part):
    """Where Kafka is, and what the topics are called and made like."""

    bootstrap: list[Annotated[str, AfterValidator(_broker)]] = Field(
        default=["127.0.0.1:9092"], min_length=1, description="Brokers to ask for the others, HOST:PORT each."
    )
    prefix: str = Field(
        default="outfall",
        pattern=r"^[A-Za-z0-9._-]{1,100}$",
        description="What the names of our own topics, the consumer group and the transactions begin with.",
    )
    partitions: int = Field(
        default=8,
        ge=1,
        le=1000,
        description="Partitions over which groups of correlations spread. It cannot be changed later.",
    )
    replication: int = Field(
        default=1, ge=1, le=9, description="Copies of each of our topics; 3 in production, on 3 brokers."
    )
    batch: int = Field(
        default=2000, ge=1, le=10_000, description="Most records of one partition that are processed at once."
    )
    max_message: int = Field(
        default=16 * 1024 * 1024, ge=8 * 1024 * 1024, description="Most bytes of one of our own messages."
    )
    events: bool = Field(
        default=False,
        description="Whether workers also write every event, as the rules saw it, into `PREFIX.events`.",
    )
    session_timeout: Duration = Field(  # type: ignore[assignment]  # the default is validated too
        default="10s", description="How long a worker may be silent before others take its partitions over."
    )
    drain_timeout: Duration = Field(  # type: ignore[assignment]  # the default is validated too
        default="30s", description="How long a worker that is asked to stop may take to finish its batches."
    )
    security: Security = Field(default=Security(), description="How brokers and we know each other.")


class Breaker(Part):
    """When a worker stops rather than filling the dead letters: a bad deployment must not empty a topic."""

    share: float = Field(
        default=0.5, gt=0, le=1, description="The share of dead records among the last ones that stops it."
    )
    records: int = Field(
        default=1000, ge=10, le=1_000_000, description="How many of a source's last records are looked at."
    )


class Worker(Part):
    """Where a worker has its rules from, and how it tells about itself."""

    configuration: Literal["files", "topic"] = Field(
        default="files",
        description="Where rules, severity and enrichment are: in the files that the settings name, or in the"
        " topic into which `outfall publish` puts them.",
    )

    listen: str = Field(
        default="127.0.0.1:9464",
        pattern=r"^(.+:[0-9]{1,5})?$",
        description="Where `/metrics`, `/healthz` and `/readyz` are served, HOST:PORT; empty for nowhere.",
    )
    log: Literal["auto", "json", "text"] = Field(
        default="auto", description="The log's form: JSON lines, text, or text on a terminal and else JSON."
    )


def password(file: Path) -> str:
    """Read a secret: the first line of its file."""
    return file.read_text(encoding="utf-8").partition("\n")[0].strip()
