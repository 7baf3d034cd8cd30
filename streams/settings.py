"""Settings: one TOML file, over which environment variables win; every problem is reported at once.

`OUTFALL_BATCH=100` sets `batch`, `OUTFALL_ALERTS__JSONL=…` sets `jsonl` under `[alerts]`. Relative paths are
relative to the file's folder. Durations are text such as `90s` and nanoseconds once read.
"""

from __future__ import annotations

import os
import tomllib
from collections import Counter
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from streams.delivery_settings import Elasticsearch, Notify, Paging
from streams.errors import ConfigError
from streams.kafka_settings import Breaker, Kafka, Worker
from streams.setting_types import (
    AnyPath,
    Duration,
    ExistingPath,
    Part,
    Reading,
    new_file,
    new_folder,
    parse_duration,
    reading,
)
from streams.source_settings import Source

__all__ = ["Alerts", "DeadLetters", "Limits", "Settings", "load", "parse_duration"]

PREFIX = "OUTFALL_"
NOT_SETTINGS = frozenset({"OUTFALL_CONFIG", "OUTFALL_PSEUDONYM_KEY", "OUTFALL_PSEUDONYM_KEY_FILE"})
"""Variables with our prefix that say something else: where the file is, and the key for pseudonyms."""


class Alerts(Part):
    """Where alerts are looked for, and where they go besides the store."""

    place: Literal["store", "elasticsearch"] = Field(
        default="store",
        description="Where `outfall alerts` finds them: what `run` or what `index` has written.",
    )

    jsonl: Annotated[AnyPath, AfterValidator(new_file)] | None = Field(
        default=None, description="A file to which every revision of every alert is appended as a JSON line."
    )


class DeadLetters(Part):
    """What becomes of records that could not be processed."""

    retention: Duration = Field(  # type: ignore[assignment]  # the default is validated too
        default="30d",
        description="How long their raw bytes, which may hold personal data, are kept.",
    )
    breaker: Breaker = Field(
        default=Breaker(), description="When `outfall worker` stops, since most of what it reads is dead."
    )


class Limits(Part):
    """How much correlation may hold; what is left out at a limit is counted, and marks the alert."""

    values: int = Field(
        default=1_000_000,
        ge=1,
        description="Values, or events, that one group may hold, in its window and below its open alerts.",
    )
    values_recomputed: int = Field(
        default=10_000,
        ge=1,
        description="The same for sums, means, percentiles, ordered and extended conditions, of which an"
        " event out of order concerns each value of a timespan.",
    )
    chained_evidence: int = Field(
        default=200_000,
        ge=1,
        description="Ids of events that one group may hold for firings of correlations that it refers to.",
    )
    groups: int = Field(default=1_000_000, ge=1, description="Groups that one correlation may hold.")


class Settings(BaseSettings):
    """The settings of `outfall run` and `outfall worker`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True, validate_default=True
    )

    state: Annotated[AnyPath, AfterValidator(new_folder)] = Field(
        default=Path("state"), description="The folder of the store: positions, state, alerts, dead letters."
    )
    rules: list[ExistingPath] = Field(
        default=[Path("rules")],
        min_length=1,
        description="Rule files, and folders of them; or one rule bundle (`*.tar.gz`).",
    )
    rules_key: ExistingPath | None = Field(
        default=None,
        description="The public key (Ed25519, PEM) by which the rules, then one bundle, must be signed.",
    )
    enrich: ExistingPath | None = Field(
        default=None,
        description="The folder of what is known of actors, destinations and subjects.",
    )
    severity: ExistingPath | None = Field(
        default=None, description="The table of severity from harm; else `severity.yml` beside the rules."
    )
    clock_skew: Duration = Field(  # type: ignore[assignment]  # the default is validated too
        default="5m",
        description="How far ahead of its receipt an event may be; further, it is marked and moves no clock.",
    )
    batch: int = Field(
        default=500, ge=1, le=10_000, description="Records that are processed and committed together."
    )
    sources: list[Source] = Field(min_length=1, description="Where records come from.")
    limits: Limits = Field(default=Limits(), description="How much correlation may hold.")
    alerts: Alerts = Field(default=Alerts(), description="Further places for alerts.")
    dead_letters: DeadLetters = Field(
        default=DeadLetters(), description="How unprocessable records are kept."
    )
    kafka: Kafka = Field(default=Kafka(), description="Where Kafka is; for sources of kind kafka.")
    worker: Worker = Field(default=Worker(), description="How `outfall worker` tells about itself.")
    elasticsearch: Elasticsearch = Field(
        default=Elasticsearch(), description="Where `outfall index` writes alerts."
    )
    paging: Paging = Field(default=Paging(), description="Whom `outfall page` tells.")
    notify: Notify = Field(default=Notify(), description="Whom `outfall notify` tells.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - pydantic-settings states the signature
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - see above
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - see above
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment win over the file's values, which come as keywords."""
        return env_settings, init_settings


def load(path: Path, *, formats: Collection[str] | None = None, places: bool = True) -> Settings:
    """Read the settings from a TOML file and the environment; `formats` are the known formats' names.

    Without `places` the paths may lead to what is not there: for commands that only look into the store.

    Raises:
        ConfigError: with all problems that there are.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        how = "docs/configuration.md shows one; --config names another"
        raise ConfigError([f"{path}: there is no such file ({how})"]) from None
    except OSError as error:
        raise ConfigError([f"{path}: cannot be read: {error.strerror}"]) from None
    except UnicodeDecodeError as error:
        raise ConfigError([f"{path}: cannot be read: it is not UTF-8 at byte {error.start}"]) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([f"{path}: not valid TOML: {error}"]) from None
    odd = [name for name in document if name.startswith("_")]  # pydantic-settings would take them for its own
    problems = [f"{path}: {name}: there is no such setting" for name in odd]
    problems += [f"{path}: {problem}" for problem in _repeated_names(document)] + _unknown_variables()
    token = reading.set(Reading(path.absolute().parent, formats, places))
    try:
        settings = Settings(**{name: value for name, value in document.items() if name not in odd})
    except ValidationError as error:
        problems += [f"{path}: {_place(item['loc'])}: {_said(item['msg'])}" for item in error.errors()]
    except SettingsError as error:
        problems.append(f"environment: {error}")
    finally:
        reading.reset(token)
    if problems:
        raise ConfigError(problems)
    return settings


def _repeated_names(document: dict[str, Any]) -> list[str]:
    sources = document.get("sources")
    listed = [item for item in sources if isinstance(item, dict)] if isinstance(sources, list) else []
    names = Counter(item["name"] for item in listed if isinstance(item.get("name"), str))
    found = [f"sources: {count} of them are named {name}" for name, count in names.items() if count > 1]
    topics = Counter(item["topic"] for item in listed if isinstance(item.get("topic"), str))
    found += [f"sources: {count} of them read topic {name}" for name, count in topics.items() if count > 1]
    inputs = sum(item.get("kind") == "stdin" for item in listed)
    return found + (["sources: there is only one standard input"] if inputs > 1 else [])


def _unknown_variables() -> list[str]:
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    return [
        f"environment: {name}: there is no such setting"
        for name in sorted(os.environ)
        if name.startswith(PREFIX) and name.partition("__")[0] not in known | NOT_SETTINGS
    ]


def _place(location: tuple[int | str, ...]) -> str:
    """Write pydantic's place as in TOML, without the tags of the kinds of source."""
    text = ""
    for number, part in enumerate(location):
        if isinstance(part, int):
            text += f"[{part}]"
        elif not (number == 2 and location[0] == "sources"):
            text += f".{part}" if text else part
    return text


def _said(message: str) -> str:
    known = {"Extra inputs are not permitted": "there is no such setting", "Field required": "it is missing"}
    return known.get(message, message.removeprefix("Value error, "))
