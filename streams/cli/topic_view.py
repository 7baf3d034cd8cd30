"""What `outfall topics describe` does."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import orjson
from rich.console import Console
from rich.filesize import decimal
from rich.table import Table
from rich.text import Text

from streams.cli import exits
from streams.cli.complaints import say_problems, standard_error
from streams.cli.live_settings import live_settings
from streams.errors import ConfigError
from streams.runtime.kafka_client import administration
from streams.runtime.topic_admin import find
from streams.runtime.topic_content import Content, contents
from streams.runtime.topic_problems import Found
from streams.runtime.topics import Topic, Topics
from streams.setting_types import say_duration

_Row = tuple[Topic, Found | None, Content | None]


def describe(config: Path) -> int:
    """Describe all topics, and give the exit status."""
    try:
        settings = live_settings(config)
        topics = list(Topics(settings))
        with administration(settings.kafka) as admin:
            found = find(admin, (topic.name for topic in topics))
            inside = contents(admin, {name: topic.partitions for name, topic in found.items()})
    except ConfigError as error:
        say_problems(standard_error(), error)
        return exits.USAGE
    rows = [(topic, found.get(topic.name), inside.get(topic.name)) for topic in topics]
    if sys.stdout.isatty():
        _print_table(rows)
    else:
        _print_json(rows)
    return exits.DONE


def _print_json(rows: Sequence[_Row]) -> None:
    for topic, found, content in rows:
        line = {
            "topic": topic.name,
            "meaning": topic.meaning,
            "ours": topic.ours,
            "partitions": topic.partitions,
            "replication": topic.replication,
            "config": dict(topic.config),
            "exists": found is not None,
            "found": found
            and {
                "partitions": found.partitions,
                "replication": found.replication,
                "config": dict(found.config),
            },
            "offsets": content and [{"begin": begin, "end": end} for begin, end in content.offsets],
            "records_at_most": content and content.records,
            "bytes": content and content.size,
        }
        sys.stdout.buffer.write(orjson.dumps(line) + b"\n")


def _print_table(rows: Sequence[_Row]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("topic", min_width=max(len(topic.name) for topic, _, _ in rows))
    for name in ("partitions", "copies"):
        table.add_column(name)
    for name in ("records ≤", "size"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("kept", no_wrap=True)
    for topic, found, content in rows:
        table.add_row(
            Text.assemble((topic.name, "bold"), "\n", (topic.meaning, "dim")),
            _compared(topic.partitions, found.partitions if found else None),
            _compared(topic.replication, found.replication if found else None),
            f"{content.records:,}" if content else "",
            decimal(content.size) if content and content.size is not None else "",
            _kept(topic),
        )
    Console(emoji=False, highlight=False).print(table)


def _kept(topic: Topic) -> str:
    if topic.config["cleanup.policy"] == "compact":
        return "last of each key"
    return say_duration(int(topic.config["retention.ms"]) * 1_000_000)


def _compared(wanted: int, found: int | None) -> Text:
    if found is None:
        return Text(f"{wanted}, missing", "red")
    return Text(str(wanted)) if found == wanted else Text(f"{found}, not {wanted}", "yellow")
