"""What `outfall topics create` and `check` do."""

from __future__ import annotations

import sys
from pathlib import Path

import orjson
from rich.console import Console

from streams.cli import exits
from streams.cli.complaints import say_problems, standard_error
from streams.cli.live_settings import with_pseudonyms
from streams.enrich.pseudonym import Pseudonymiser
from streams.errors import ConfigError
from streams.runtime import agreement, topic_admin
from streams.runtime.kafka_client import administration
from streams.runtime.topic_problems import impossible, problems, too_few
from streams.runtime.topics import Topics
from streams.settings import Settings


def check(config: Path) -> int:
    """Check, tell, and give the exit status."""
    errors = standard_error()
    try:
        settings, pseudonyms = with_pseudonyms(config)
        told = topic_admin.check_topics(settings, pseudonyms)
    except ConfigError as error:
        say_problems(errors, error)
        return exits.USAGE
    if told:
        say_problems(errors, ConfigError(told))
        return exits.FINDINGS
    count = len(list(Topics(settings)))
    errors.print(f"{config}: {count} topics and the agreement are as they must be", markup=False)
    return exits.DONE


def create(config: Path, *, change: bool) -> int:
    """Make what is missing, tell, and give the exit status."""
    errors = standard_error()
    try:
        settings, pseudonyms = with_pseudonyms(config)
        told = _create(settings, pseudonyms, errors, change=change)
    except ConfigError as error:
        say_problems(errors, error)
        return exits.USAGE
    if told:
        say_problems(errors, ConfigError([*told, "nothing was made or changed"]))
        return exits.FINDINGS
    return exits.DONE


def _create(settings: Settings, pseudonyms: Pseudonymiser, errors: Console, *, change: bool) -> list[str]:
    """Give the problems for which nothing was done."""
    topics = Topics(settings)
    ours = agreement.agreement(settings, pseudonyms)
    with administration(settings.kafka) as admin:
        found = topic_admin.find(admin, (topic.name for topic in topics))
        there = [topic for topic in topics if topic.name in found]
        missing = [topic for topic in topics if topic.name not in found]
        brokers = topic_admin.find_brokers(admin)
        told = impossible(settings, brokers) + (too_few(settings, brokers) if missing else [])
        told += problems(there, found)
        agreed = (
            agreement.read(settings.kafka, topics.configuration) if topics.configuration in found else None
        )
        differing = [] if agreed is None else agreement.differences(ours, agreed)
        if differing and not change:
            told += agreement.problems(ours, agreed)
        elif differing and (workers := topic_admin.members(admin, topics.group)):
            who = "1 worker runs" if workers == 1 else f"{workers} workers run"
            told.append(f"group {topics.group}: {who} with what was agreed; stop all first")
        if told:
            return told
        made = topic_admin.create(admin, missing)
        if agreed is None or differing:
            agreement.write(settings.kafka, topics.configuration, ours)
    for difference in differing:
        errors.print(f"agreement: {difference}", style="yellow", markup=False)
    done = "written" if agreed is None else "changed" if differing else "as it was"
    _say(topics, made, done)
    return []


def _say(topics: Topics, made: list[str], agreed: str) -> None:
    if sys.stdout.isatty():
        out = Console(emoji=False, highlight=False)
        for topic in topics:
            done = "made" if topic.name in made else "as it was"
            many = "1 partition" if topic.partitions == 1 else f"{topic.partitions} partitions"
            out.print(f"{done:>9}  {topic.name}, {many}", markup=False, soft_wrap=True)
        out.print(f"{agreed:>9}  the agreement of the workers", markup=False)
        return
    for topic in topics:
        line = {"topic": topic.name, "partitions": topic.partitions, "made": topic.name in made}
        sys.stdout.buffer.write(orjson.dumps(line) + b"\n")
    sys.stdout.buffer.write(orjson.dumps({"agreement": agreed}) + b"\n")
