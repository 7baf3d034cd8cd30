"""What `outfall alerts watch` does, apart from its options: imported only when it runs."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from pydantic import ValidationError
from rich.console import Console

from streams.alert import SEVERITIES, Alert
from streams.cli import exits
from streams.cli.alert_view import print_line
from streams.cli.complaints import say_problems, standard_error
from streams.errors import ConfigError
from streams.event import NANOSECONDS
from streams.runtime.kafka_client import client_arguments
from streams.runtime.topics import Topics
from streams.settings import Settings, load, parse_duration


def run(config: Path, *, beginning: bool, whole: bool, idle: str | None) -> int:
    """Show, and give the exit status."""
    errors = standard_error()
    try:
        settings = load(config, places=False)
        patience = None if idle is None else _duration(idle)
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(_watch(settings, beginning=beginning, whole=whole, patience=patience))
    except ConfigError as error:
        say_problems(errors, error)
        return exits.USAGE
    except KafkaError as error:
        errors.print(f"cannot go on: {type(error).__name__}: {error}", style="red", markup=False)
        return exits.USAGE
    return exits.DONE


async def _watch(settings: Settings, *, beginning: bool, whole: bool, patience: float | None) -> None:
    console = Console(emoji=False, highlight=False, soft_wrap=True)
    known: dict[str, int] = {}
    async for value in _values(settings, beginning=beginning, patience=patience):
        if whole:
            sys.stdout.buffer.write(value + b"\n")
            sys.stdout.buffer.flush()
            continue
        try:
            alert = Alert.model_validate_json(value)
        except ValidationError:
            standard_error().print("a record in the topic of alerts is none", style="yellow")
            continue
        if alert.suppressed_by:
            continue
        grade = SEVERITIES.index(alert.severity)
        if grade > known.get(alert.id, -1):
            print_line(console, alert)
            known[alert.id] = grade


async def _values(settings: Settings, *, beginning: bool, patience: float | None) -> AsyncIterator[bytes]:
    consumer = AIOKafkaConsumer(
        Topics(settings).alerts,
        **client_arguments(settings.kafka),
        group_id=None,
        auto_offset_reset="earliest" if beginning else "latest",
        isolation_level="read_committed",
    )
    await consumer.start()
    try:
        while True:
            wait = None if patience is None else int(patience * 1000)
            fetched = await consumer.getmany(timeout_ms=60_000 if wait is None else wait)
            if not fetched and wait is not None:
                return
            for records in fetched.values():
                for record in records:
                    yield record.value or b""
    finally:
        await consumer.stop()


def _duration(text: str) -> float:
    try:
        return parse_duration(text) / NANOSECONDS
    except ValueError as error:
        raise ConfigError([f"--idle: {error}"]) from None
