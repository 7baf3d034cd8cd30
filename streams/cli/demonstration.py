"""What `outfall demo` does: the simulator, the embedded run, and the truth, on one terminal."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import orjson
from rich.console import Console
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from streams.alert import Alert
from streams.cli import exits
from streams.cli.alert_view import COLOURS
from streams.errors import ConfigError
from streams.event import strings
from streams.normalise import FORMATS
from streams.pipeline import Outcome
from streams.runtime.build import build_inputs, build_pipeline
from streams.runtime.embedded import Embedded
from streams.runtime.store import Store
from streams.settings import load
from streams.simulate.incidents import STORIES
from streams.simulate.run import Simulation, simulate
from streams.simulate.score import Score, score

INCIDENTS = ("mail_home", "forwarding_rule")
PIPED_WIDTH = 130
RULES = Path(__file__).resolve().parents[2] / "rules"


def demonstrate(out: Path | None, *, seed: int, people: int, days: int, everything: bool) -> int:
    """Simulate, run, show and judge; give the exit status."""
    console = Console(emoji=False, highlight=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console = Console(emoji=False, highlight=False, width=PIPED_WIDTH)
    with ExitStack() as stack:
        if out is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="outfall-demo-")))
        elif out.exists() and any(out.iterdir()):
            console.print(f"{out} is not empty; name a new folder", style="red", markup=False)
            return exits.USAGE
        else:
            folder = out
        try:
            lines = _simulate(
                console, folder, Simulation(seed, people, days, stories=_stories(days, everything=everything))
            )
            alerts = _run(console, folder, lines)
        except ConfigError as error:
            console.print(str(error), style="red", markup=False)
            return exits.USAGE
        result = score(orjson.loads((folder / "truth.json").read_bytes()), alerts)
    _show_pages(console, alerts)
    _show_score(console, result)
    if out is not None:
        console.print(f"\nLook further: outfall alerts list --config {out / 'outfall.toml'}", markup=False)
    return exits.DONE if result.recall == 1 and result.precision == 1 else exits.FINDINGS


def _stories(days: int, *, everything: bool) -> list[str] | None:
    """Give what is told: of the incidents two, of the look-alikes all; None stands for all there is."""
    if everything:
        return None
    fitting = [story for story in STORIES.values() if story.least_days <= days]
    return [story.name for story in fitting if not story.malicious or story.name in INCIDENTS]


def _simulate(console: Console, folder: Path, wanted: Simulation) -> int:
    with console.status(f"A council of {wanted.people} people writes its logs"):
        simulate(wanted, folder, RULES)
    logs = sorted((folder / "logs").iterdir())
    lines = sum(log.read_bytes().count(b"\n") for log in logs)
    span = "one day" if wanted.days == 1 else f"{wanted.days} days"
    console.print(
        f"A council of {wanted.people} people, {span}: {lines:,} log lines in {len(logs)} files, as its "
        "proxies, mail relay and gateway, file servers, case system and cloud services write them."
    )
    return lines


def _run(console: Console, folder: Path, lines: int) -> list[Alert]:
    settings = load(folder / "outfall.toml", formats=FORMATS)
    pipeline, book = build_pipeline(settings)
    console.print(f"{len(book.rules)} rules are watching. Times are UTC.\n")
    columns = (TextColumn("[dim]records"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Store(settings.state) as store, Progress(*columns, console=console, transient=True) as progress:
        watch = _Watch(console, progress, progress.add_task("records", total=lines))
        run = Embedded(
            pipeline,
            build_inputs(settings, store, once=True, clock=time.time_ns),
            store,
            batch=settings.batch,
            retention=settings.dead_letters.retention,
            clock=time.time_ns,
            report=watch.report,
        )
        started = time.perf_counter()
        run.run(lambda: False)
        took = time.perf_counter() - started
    counts = run.counts
    console.print(
        f"\n{counts['records']:,} records in {took:.0f} s ({counts['records'] / took:,.0f}/s), "
        f"{counts['rejected']} could not be read, {counts['late']} came too late."
    )
    return list(watch.alerts.values())


class _Watch:
    """Shows an alert when it is raised, and again when it pages."""

    def __init__(self, console: Console, progress: Progress, task: TaskID) -> None:
        self._console, self._progress, self._task = console, progress, task
        self.alerts: dict[str, Alert] = {}

    def report(self, outcome: Outcome) -> None:
        """Show what a batch led to."""
        self._progress.advance(self._task, outcome.counts["records"])
        for alert in outcome.alerts:
            if alert.suppressed_by:
                continue
            if alert.id not in self.alerts or alert.page:
                word = Text("  PAGE ", "bold white on red") if alert.page else Text("ticket ", "yellow")
                grade = Text(f"{alert.severity:<9}", COLOURS[alert.severity])
                self._console.print(Text.assemble(f"{alert.last[:19]}  ", word, " ", grade, alert.reason))
            self.alerts[alert.id] = alert


def _show_pages(console: Console, alerts: list[Alert]) -> None:
    for alert in alerts:
        if not alert.pages:
            continue
        exposure = alert.exposure
        facts = Table(box=None, show_header=False, pad_edge=False)
        facts.add_column(style="dim")
        facts.add_column(overflow="fold")
        related = sum(other.breach == alert.id and other.id != alert.id for other in alerts)
        rows = {
            "who": ", ".join(filter(None, (alert.actor.id, alert.actor.role, alert.actor.team))),
            "whose data": f"{exposure.people} data subjects, {exposure.records} records "
            f"({', '.join(exposure.categories)}{'; vulnerable' if exposure.vulnerable else ''})",
            "where to": f"{', '.join(alert.destinations)} ({', '.join(alert.destination_classes)}), "
            f"{alert.verdict}",
            "by which way": ", ".join(alert.channels),
            "when": f"{alert.first} to {alert.last}",
            "files": ", ".join(file.name or "?" for file in alert.files),
            "rule": alert.rule.title,
            "also seen by": f"{related} more {'alert' if related == 1 else 'alerts'}" if related else "",
            "alert": alert.id,
        }
        for name, value in rows.items():
            if value:
                facts.add_row(name, Text(value))
        last = alert.evidence[-5:]
        origins = sorted(
            {told for item in last for told in strings(item.fields.get("outfall.content.origin_told"))}
        )
        for number, origin in enumerate(origins):
            facts.add_row("" if number else "content from", Text(origin))
        for number, item in enumerate(last, 1):
            told = " ".join(filter(None, (str(item.fields.get("event.action", "")), _file(item.fields))))
            facts.add_row(
                "evidence" if number == 1 else "",
                Text(f"{item.time}  {item.source} line {item.line}: {told}"),
            )
        console.print(Panel(facts, title=f"PAGE · {alert.severity}", border_style="red", title_align="left"))


def _file(fields: Mapping[str, object]) -> str:
    value = fields.get("file.name") or fields.get("email.attachments.file.name") or ""
    return str(value[0] if isinstance(value, list) and value else value)


def _show_score(console: Console, result: Score) -> None:
    table = Table(
        title="Against the truth", title_justify="left", header_style="bold", box=None, pad_edge=False
    )
    table.add_column("story", no_wrap=True, min_width=max(len(verdict.name) for verdict in result.verdicts))
    table.add_column("what it is", no_wrap=True, overflow="ellipsis", max_width=max(12, console.width - 70))
    table.add_column("expected", no_wrap=True, min_width=8)
    for name in ("pages", "tickets", "people", "counted"):
        table.add_column(name, justify="right", no_wrap=True, min_width=len(name))
    table.add_column("", min_width=5)
    for verdict in result.verdicts:
        table.add_row(
            verdict.name,
            Text("incident: ", "red").append(verdict.kind, "default") if verdict.malicious else verdict.kind,
            verdict.expected,
            str(verdict.pages),
            str(verdict.tickets),
            str(verdict.subjects),
            str(verdict.people or "-"),
            Text("right", "green") if verdict.right else Text("WRONG", "bold red"),
        )
    console.print(table)
    if result.other_pages or result.other_tickets:
        console.print(
            f"Besides: {result.other_pages} pages and {result.other_tickets} tickets for none of these."
        )
    console.print(f"Recall of incidents {result.recall:.0%}, precision of pages {result.precision:.0%}.")
