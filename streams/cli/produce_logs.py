"""Which logs `outfall produce` is to send: files as given, or those of a simulated council."""

from __future__ import annotations

import os
import stat
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from rich.console import Console
from rich.progress import Progress

from streams.errors import ConfigError
from streams.settings import Settings, parse_duration
from streams.simulate.run import Simulation
from streams.simulate.run import simulate as write_logs
from streams.simulate.sources import SOURCES
from streams.source_settings import KafkaSource

_USUAL: dict[str, Any] = {"seed": 1, "people": 200, "days": 1}
"""What `outfall simulate` takes where nothing is said."""


@dataclass(frozen=True, slots=True)
class Options:
    """The options of `outfall produce`, as given; `simulation` holds those for the simulator."""

    config: Path
    files: Sequence[str]
    rate: float | None
    speed: float | None
    let_pass: str
    simulate: bool
    simulation: Mapping[str, Any]


class Log(NamedTuple):
    """An open log and whose it is."""

    source: KafkaSource
    file: BinaryIO

    @property
    def size(self) -> int | None:
        """Its bytes, or None where it comes through a pipe."""
        status = os.fstat(self.file.fileno())
        return status.st_size if stat.S_ISREG(status.st_mode) else None


def open_logs(options: Options, settings: Settings, stack: ExitStack, console: Console) -> list[Log]:
    """Open what is to be sent, until `stack` is closed.

    Raises:
        ConfigError: with everything that is wrong with the options.
        OSError: a file cannot be opened.
    """
    known = {source.name: source for source in settings.sources if isinstance(source, KafkaSource)}
    if problems := _file_problems(options, known) + _option_problems(options, known):
        raise ConfigError(problems)
    if options.simulate:
        return _simulated(options, known, stack, console)
    pairs = (given.partition("=") for given in options.files)
    return [Log(known[name], _open(path, stack)) for name, _, path in pairs]


def _open(path: str, stack: ExitStack) -> BinaryIO:
    if path == "-":  # opened anew, since a thread that waits for sys.stdin would disturb its closing
        return open(0, "rb", closefd=False)
    return stack.enter_context(Path(path).open("rb"))


def _file_problems(options: Options, known: Mapping[str, KafkaSource]) -> list[str]:
    problems = []
    for given in options.files:
        name, sign, path = given.partition("=")
        if not sign or not path:
            problems.append(f"{given}: write SOURCE=FILE, for instance proxy=access.log or proxy=-")
            continue
        if name not in known:
            there = ", ".join(known) or "none"
            problems.append(f"{given}: there is no source {name} of kind kafka; there are: {there}")
        if path != "-" and not Path(path).exists():
            problems.append(f"{given}: there is no such file")
    times = Counter(str(Path(given.partition("=")[2]).resolve()) for given in options.files)
    return problems + [f"{path}: is given {count} times" for path, count in times.items() if count > 1]


def _option_problems(options: Options, known: Mapping[str, KafkaSource]) -> list[str]:
    problems = []
    if options.simulate:
        problems += _simulation(options).problems()
        if options.files:
            problems.append("--simulate: sends its own logs; give either that or files")
        if not known.keys() & SOURCES.keys():
            problems.append(f"--simulate: no source of kind kafka has one of the names {', '.join(SOURCES)}")
    else:
        problems += [f"--{name}: is for --simulate" for name in options.simulation]
        if not options.files:
            problems.append("there is nothing to send: give SOURCE=FILE, or --simulate")
    for option, value in (("--rate", options.rate), ("--speed", options.speed)):
        if value is not None and not value > 0:
            problems.append(f"{option}: must be more than 0")
    try:
        parse_duration(options.let_pass)
    except ValueError as error:
        problems.append(f"--let-pass: {error}")
    return problems


def _simulation(options: Options) -> Simulation:
    return Simulation(**{**_USUAL, **options.simulation})


def _simulated(
    options: Options, known: Mapping[str, KafkaSource], stack: ExitStack, console: Console
) -> list[Log]:
    """Let a council write its logs into a folder that is deleted afterwards, and open those that we send."""
    wanted = _simulation(options)
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="outfall-")))
    with Progress(console=console, disable=not console.is_terminal, transient=True) as progress:
        task = progress.add_task("simulating", total=wanted.days * wanted.people)
        write_logs(wanted, folder, Path("rules"), lambda count: progress.advance(task, count))
    left_out = [name for name in SOURCES if name not in known]
    if left_out:
        console.print(f"not sent, since no source of kind kafka has its name: {', '.join(left_out)}")
    return [
        Log(known[name], _open(str(folder / "logs" / source.file), stack))
        for name, source in SOURCES.items()
        if name in known
    ]
