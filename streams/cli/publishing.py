"""What `outfall publish` does, apart from its options: imported only when it runs."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import orjson
from aiokafka.errors import KafkaError
from rich.console import Console

from streams.cli import exits
from streams.cli.complaints import say_problems, say_refused, standard_error
from streams.errors import ConfigError
from streams.normalise import FORMATS
from streams.runtime.build import load_parts
from streams.runtime.kafka_client import client_arguments
from streams.runtime.publication import collect, publish
from streams.runtime.topics import Topics
from streams.settings import load


def run(config: Path, *, allow_refused: bool) -> int:
    """Check, publish, and give the exit status."""
    errors = standard_error()
    try:
        settings = load(config, formats=FORMATS)
        book, _, _, edition = load_parts(settings)
        say_refused(errors, book.refused)
        if book.refused and not allow_refused:
            errors.print("nothing is published; --allow-refused publishes the others", style="red")
            return exits.FINDINGS
        topics = Topics(settings)
        new = collect(settings, edition.revision)
        client = client_arguments(settings.kafka)
        asyncio.run(publish(client, topics.configuration, topics.publisher, new))
    except ConfigError as error:
        say_problems(errors, error)
        return exits.USAGE
    except KafkaError as error:
        errors.print(f"not published: {type(error).__name__}: {error}", style="red", markup=False)
        return exits.USAGE
    told = {
        "version": new.version,
        "rule_book": book.hash,
        "revision": new.revision,
        "rules": len(book.rules),
        "files": len(new.files),
    }
    if sys.stdout.isatty():
        Console(emoji=False, highlight=False).print(
            f"{told['rules']} rules in {told['files']} files are published as {new.version[:16]}"
        )
    else:
        sys.stdout.buffer.write(orjson.dumps(told) + b"\n")
    return exits.FINDINGS if book.refused else exits.DONE
