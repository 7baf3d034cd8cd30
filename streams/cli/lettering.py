"""What `outfall dead-letters` does, apart from its options: imported only when it runs."""

from __future__ import annotations

import logging
import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from aiokafka.errors import KafkaError, ProducerFenced
from rich.console import Console

from streams.cli import exits
from streams.cli.complaints import say_problems, standard_error
from streams.cli.letter_filters import Filters
from streams.cli.letter_view import Listing, print_facts, print_json, print_raw
from streams.cli.letters_live import LiveLetters
from streams.cli.letters_stored import StoredLetters
from streams.errors import ConfigError, OutfallError
from streams.normalise import FORMATS
from streams.runtime.build import misplaced
from streams.runtime.letters import Entry, Wanted
from streams.settings import load
from streams.source_settings import KafkaSource


class _Letters(Protocol):
    """The dead letters of one place."""

    def list(self, wanted: Wanted, add: Callable[[Entry], None], *, everything: bool) -> None: ...

    def read(self, identity: str) -> Entry | None: ...

    def replay(self, wanted: Wanted, *, dry_run: bool) -> int: ...

    def purge(self, wanted: Wanted, *, dry_run: bool) -> int: ...


def list_entries(config: Path, filters: Filters, *, everything: bool, json: bool) -> int:
    """List those that are meant, and give the exit status."""

    def work(letters: _Letters) -> int:
        wanted = filters.wanted(time.time_ns())
        if json or not sys.stdout.isatty():
            letters.list(wanted, print_json, everything=everything)
        else:
            listing = Listing()
            letters.list(wanted, listing.add, everything=everything)
            listing.show()
        sys.stdout.flush()
        return exits.DONE

    return _do(config, work)


def show_entry(config: Path, identity: str, *, raw: bool, json: bool) -> int:
    """Show one, and give the exit status."""

    def work(letters: _Letters) -> int:
        entry = letters.read(identity)
        if entry is None:
            raise OutfallError(f"there is no dead letter {identity}")
        if raw:
            print_facts(entry, errors=True)
            print_raw(entry.letter.data)
        elif json or not sys.stdout.isatty():
            print_json(entry)
            sys.stdout.flush()
        else:
            print_facts(entry)
        return exits.DONE

    return _do(config, work)


def replay_entries(config: Path, filters: Filters, *, dry_run: bool) -> int:
    """Process those that are meant again, and give the exit status."""
    return _do(config, lambda letters: letters.replay(filters.wanted(time.time_ns()), dry_run=dry_run))


def purge_entries(config: Path, filters: Filters, *, everything: bool, dry_run: bool) -> int:
    """Delete those that are meant, and give the exit status."""

    def work(letters: _Letters) -> int:
        wanted = filters.wanted(time.time_ns())
        if wanted.all and not everything:
            raise OutfallError("say which ones: by their ids, --source, --until and so on, or --all")
        if everything and not wanted.all:
            raise OutfallError("--all: is for all of them; leave it out, or the rest")
        return letters.purge(wanted, dry_run=dry_run)

    return _do(config, work)


def _do(config: Path, work: Callable[[_Letters], int]) -> int:
    """Do something with the dead letters of the settings, and say what is wrong where it cannot be done."""
    console = standard_error()
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # it complains of what is told here
    try:
        return work(_letters(config, console))
    except ConfigError as error:
        say_problems(console, error)
    except OutfallError as error:
        console.print(str(error), style="red", markup=False)
    except ProducerFenced:
        console.print("another replay has begun, and goes on in place of this one", style="red")
    except KafkaError as error:
        console.print(f"Kafka: {error}; what was done until then is done", style="red", markup=False)
    except (OSError, sqlite3.Error) as error:
        console.print(f"cannot go on: {error}", style="red", markup=False)
    return exits.USAGE


def _letters(config: Path, console: Console) -> _Letters:
    settings = load(config, formats=FORMATS, places=False)
    live = any(isinstance(source, KafkaSource) for source in settings.sources)
    if problems := misplaced(settings, live=live):
        raise ConfigError(problems)
    return LiveLetters(settings, console) if live else StoredLetters(settings, console)
