"""What `outfall topics acls` does."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import orjson
from rich.console import Console
from rich.table import Table
from rich.text import Text

from streams.cli import exits
from streams.cli.complaints import say_problems, standard_error
from streams.cli.live_settings import live_settings
from streams.cli.topics import Form
from streams.errors import ConfigError
from streams.runtime.acls import ROLES, Grant, apply
from streams.runtime.kafka_client import administration
from streams.runtime.topics import Topics

_Row = tuple[str, str, Grant]
"""Role, principal, what is granted."""

_OPTIONS = {"TOPIC": "--topic", "GROUP": "--group", "TRANSACTIONAL_ID": "--transactional-id"}


def acls(config: Path, principals: Mapping[str, Sequence[str]], *, form: Form | None, apply_: bool) -> int:
    """Print, or create, what the principals of each role need, and give the exit status."""
    errors = standard_error()
    try:
        _check(principals)
        settings = live_settings(config)
        topics = Topics(settings)
        rows = [
            (role, principal, grant)
            for role, names in principals.items()
            for principal in names
            for grant in ROLES[role](topics)
        ]
        if apply_:
            with administration(settings.kafka) as admin:
                count = apply(admin, [(principal, grant) for _, principal, grant in rows])
            errors.print(f"{count} access rights are there", markup=False)
    except ConfigError as error:
        say_problems(errors, error)
        return exits.USAGE
    form = form or (Form.TABLE if sys.stdout.isatty() else Form.JSON)
    if form is Form.TABLE:
        _print_table(rows)
    elif form is Form.JSON:
        _print_json(rows)
    else:
        for command in _commands(rows, ",".join(settings.kafka.bootstrap)):
            sys.stdout.write(f"{command}\n")
    return exits.DONE


def _check(principals: Mapping[str, Sequence[str]]) -> None:
    if not principals:
        roles = ", ".join(f"--{role}" for role in ROLES)
        raise ConfigError([f"name the principals of at least one role, as --worker User:outfall ({roles})"])
    problems = [
        f"--{role} {name}: write TYPE:NAME, as User:outfall; with mTLS the name is the certificate's subject"
        for role, names in principals.items()
        for name in names
        if not all(name.partition(":"))
    ]
    if problems:
        raise ConfigError(problems)


def _print_table(rows: Sequence[_Row]) -> None:
    table = Table("role", "principal", "resource", "name", "may", box=None, header_style="bold")
    for role, principal, grant in rows:
        name = f"{grant.name}*" if grant.prefixed else grant.name
        may = ", ".join(grant.operations).lower().replace("_", " ")
        table.add_row(role, Text(principal), grant.resource.lower().replace("_", " "), Text(name), may)
    Console(emoji=False, highlight=False).print(table)


def _print_json(rows: Sequence[_Row]) -> None:
    for role, principal, grant in rows:
        for operation in grant.operations:
            line = {
                "role": role,
                "principal": principal,
                "host": "*",
                "permission": "ALLOW",
                "operation": operation,
                "resource": grant.resource,
                "name": grant.name,
                "pattern": "PREFIXED" if grant.prefixed else "LITERAL",
            }
            sys.stdout.buffer.write(orjson.dumps(line) + b"\n")


def _commands(rows: Sequence[_Row], bootstrap: str) -> Iterator[str]:
    yield "# Where the brokers ask who you are, each call needs --command-config FILE too."
    for _, principal, grant in rows:
        words = ["kafka-acls.sh", "--bootstrap-server", bootstrap, "--add", "--allow-principal", principal]
        for operation in grant.operations:
            words += ["--operation", operation.title().replace("_", "")]
        words += ["--cluster"] if grant.resource == "CLUSTER" else [_OPTIONS[grant.resource], grant.name]
        if grant.prefixed:
            words += ["--resource-pattern-type", "prefixed"]
        yield shlex.join(words)
