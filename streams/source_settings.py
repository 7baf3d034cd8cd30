"""The sources in the settings: files, standard input, syslog, Kafka topics."""

from __future__ import annotations

import ipaddress
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    PlainValidator,
    Tag,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)

from streams.kafka_settings import TOPIC
from streams.setting_types import AnyPath, Duration, Part, Zone, known_format, log_path


class Listen(BaseModel):
    """An address to listen at, written `udp://127.0.0.1:5514` or `tcp://[::1]:5514`."""

    model_config = ConfigDict(frozen=True)

    transport: Literal["udp", "tcp"]
    host: str
    port: int

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach it."""
        return self.host == "localhost" or ipaddress.ip_address(self.host).is_loopback


def _listen(value: Any) -> Listen:
    if isinstance(value, Listen):
        return value
    wrong = ValueError("write udp://ADDRESS:PORT or tcp://ADDRESS:PORT, for instance udp://127.0.0.1:5514")
    try:
        parts = urlsplit(str(value))
        host, port = parts.hostname, parts.port
        if parts.scheme not in ("udp", "tcp") or host is None or port is None or parts.path or parts.query:
            raise wrong
        if host != "localhost":
            ipaddress.ip_address(host)
    except ValueError:
        raise wrong from None
    return Listen.model_validate({"transport": parts.scheme, "host": host, "port": port})


class SourceBase(Part):
    """What all sources have."""

    name: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$",
        description="The source's name, unique; it is part of the identity of its events, so keep it.",
    )
    format: Annotated[str, AfterValidator(known_format)] = Field(
        default="auto", description="The format of its records; `outfall formats` lists them."
    )
    zone: Zone = Field(  # type: ignore[assignment]  # the default is validated too
        default="UTC", description="The time zone of times that do not state theirs."
    )
    lateness: Duration = Field(  # type: ignore[assignment]  # the default is validated too
        default="15m",
        description="How late, behind the newest event, an event may come and still be counted.",
    )


class FileSource(SourceBase):
    """A log file that is followed across rotation, or several by a glob."""

    kind: Literal["file"] = Field(default="file", description="A file that is followed.")
    path: Annotated[AnyPath, AfterValidator(log_path)] = Field(
        description="The log file; a glob (`/var/log/squid/*.log`) follows each file that it names."
    )


class StdinSource(SourceBase):
    """Standard input."""

    kind: Literal["stdin"] = Field(description="Standard input, until its end.")


class SyslogSource(SourceBase):
    """A syslog listener, RFC 5424 and RFC 3164."""

    kind: Literal["syslog"] = Field(description="Syslog messages, RFC 5424 or RFC 3164.")
    allow_remote: bool = Field(
        default=False,
        description="Whether others than this machine may be listened to; they are not verified.",
    )
    listen: Annotated[
        Listen,
        PlainValidator(_listen),
        WithJsonSchema({"type": "string", "examples": ["udp://127.0.0.1:5514", "tcp://127.0.0.1:5514"]}),
    ] = Field(description="Where to listen: `udp://ADDRESS:PORT` or `tcp://ADDRESS:PORT`.")

    @field_validator("listen")
    @classmethod
    def _loopback(cls, listen: Listen, info: ValidationInfo) -> Listen:
        if not listen.loopback and not info.data.get("allow_remote"):
            raise ValueError("other machines could send here; set allow_remote = true if that is meant")
        return listen


class KafkaSource(SourceBase):
    """A Kafka topic of raw records, for `outfall worker`."""

    kind: Literal["kafka"] = Field(description="A Kafka topic, which `outfall worker` reads.")
    topic: str = Field(pattern=TOPIC, description="The topic; no other source may read it.")
    partitions: int = Field(
        default=4, ge=1, le=1000, description="Its partitions, where `outfall topics create` makes it."
    )


def _kind(source: Any) -> str:
    return str(source.get("kind", "file") if isinstance(source, dict) else getattr(source, "kind", "file"))


Source = Annotated[
    Annotated[FileSource, Tag("file")]
    | Annotated[StdinSource, Tag("stdin")]
    | Annotated[SyslogSource, Tag("syslog")]
    | Annotated[KafkaSource, Tag("kafka")],
    Discriminator(
        _kind, custom_error_type="kind", custom_error_message="kind is one of file, stdin, syslog and kafka"
    ),
]
