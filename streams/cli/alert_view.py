"""How alerts look: a table, an explanation, or JSON lines."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence

import orjson
from rich.cells import cell_len
from rich.console import Console, JustifyMethod
from rich.table import Table
from rich.text import Text

from streams.alert import Alert, Evidence, Exposure
from streams.event import Scalar, strings
from streams.sinks.handling import Stored

COLOURS = {"critical": "bold red", "high": "red", "medium": "yellow", "low": "cyan", "informational": "dim"}
_TOLD = {
    "event.action": "action",
    "event.outcome": "outcome",
    "outfall.channel": "channel",
    "outfall.verdict": "verdict",
    "outfall.destination.name": "to",
    "outfall.subjects.count": "people",
    "file.name": "file",
    "email.subject": "subject",
    "url.domain": "domain",
    "outfall.bytes": "bytes",
}
"""The fields of an event that its line of evidence tells, in this order, and what they are called there."""


_COLUMNS = (
    "alert",
    "severity",
    "last (UTC)",
    "people",
    "actor",
    "to",
    "rule",
    "state",
    "assignee",
)
_CUT_SHORT = ("to", "rule", "actor")
_LEAST = 8
"""The columns that give up room on a narrow terminal, in this order, and the width that each keeps."""
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def plain(text: str) -> str:
    """Make text from a log harmless to a terminal: no control characters, no turned direction."""
    return _CONTROL.sub("\ufffd", text)


def print_json(alerts: Iterable[Stored]) -> None:
    """Print one JSON line for each alert, with what people did about it."""
    for alert in alerts:
        sys.stdout.buffer.write(orjson.dumps(alert.document()) + b"\n")
    sys.stdout.buffer.flush()


def print_line(console: Console, alert: Alert) -> None:
    """Print a revision as it comes: a line of text on a terminal, else a short line of JSON."""
    if console.is_terminal:
        console.print(f"[{COLOURS[alert.severity]}]{alert.severity:>13}[/] ", end="")
        page = "PAGE " if alert.page else ""
        console.print(f"{alert.last} {page}{plain(alert.reason)} ({alert.id[:12]})", markup=False)
    else:
        sys.stdout.buffer.write(orjson.dumps(brief(alert)) + b"\n")
        sys.stdout.buffer.flush()


def brief(alert: Alert) -> dict[str, object]:
    """Give what may be written to a journal: nothing from the evidence, which can name data subjects."""
    return {
        "id": alert.id,
        "revision": alert.revision,
        "severity": alert.severity,
        "status": alert.status,
        "page": alert.page,
        "tier": alert.tier,
        "people": alert.exposure.people,
        "actor": alert.actor.id,
        "rule": alert.rule.name or alert.rule.title,
        "reason": alert.reason,
        "first": alert.first,
        "last": alert.last,
    }


def print_table(alerts: Sequence[Stored]) -> None:
    """Print a table for a terminal, one line an alert; where it is narrow, cut destinations short first."""
    console = Console(emoji=False, highlight=False)
    assigned = any(stored.assignee for stored in alerts)
    names = _COLUMNS if assigned else _COLUMNS[:-1]
    rows = [_row(stored)[: len(names)] for stored in alerts]
    widths = {column[0]: max(map(cell_len, column)) for column in zip(names, *rows, strict=True)}
    excess = sum(widths.values()) + len(widths) - 1 - console.width
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for name in _CUT_SHORT:
        cut = max(0, min(excess, widths[name] - _LEAST))
        widths[name] -= cut
        excess -= cut
    for name, width in widths.items():
        justify: JustifyMethod = "right" if name == "people" else "left"
        table.add_column(name, justify=justify, no_wrap=True, overflow="ellipsis", max_width=width)
    for row in rows:
        table.add_row(
            *(
                Text(cell, COLOURS[cell] if name == "severity" else "")
                for name, cell in zip(names, row, strict=True)
            )
        )
    console.print(table)


def _row(stored: Stored) -> tuple[str, ...]:
    alert = stored.alert
    cells = (
        alert.id[:8],
        alert.severity,
        alert.last[:19].replace("T", " "),
        str(alert.exposure.people),
        alert.actor.id or (f"{len(alert.actor.several)} accounts" if alert.actor.several else "-"),
        ", ".join(alert.destinations) or "-",
        alert.rule.name or alert.rule.title,
        stored.state + (" (gone on)" if _gone_on(stored) else ""),
        stored.assignee or "-",
    )
    return tuple(map(plain, cells))


def state(stored: Stored) -> str:
    """Say where the work stands, and whether the alert has gone on since somebody last acted."""
    if not _gone_on(stored):
        return stored.state
    return f"{stored.state} (at revision {stored.handling[-1].revision}, now {stored.alert.revision})"


def _gone_on(stored: Stored) -> bool:
    return bool(stored.handling) and stored.handling[-1].revision < stored.alert.revision


def explain(stored: Stored) -> None:
    """Print one alert for a person to read."""
    console = Console(emoji=False, highlight=False)
    alert = stored.alert
    console.print(Text(plain(alert.reason), "bold"))
    console.print(Text.assemble((alert.severity, COLOURS[alert.severity]), f" · {plain(alert.rule.title)}"))
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    for name, value in _facts(stored):
        if value:
            table.add_row(name, Text(plain(value)))
    console.print(table)
    _print_list(console, "Evidence", [_evidence(item) for item in alert.evidence])
    _print_list(console, "What to do", alert.rule.runbook)
    _print_list(console, "False positives", alert.rule.falsepositives)
    _print_list(
        console,
        "What was done",
        [" ".join(filter(None, (item.at, item.by, item.action, item.text))) for item in stored.handling],
    )


def _facts(stored: Stored) -> list[tuple[str, str]]:
    alert = stored.alert
    group = ", ".join(f"{name} {value}" for name, value in alert.group.items())
    measured = f"{alert.observed} (threshold {alert.threshold})" if alert.threshold else ""
    return [
        ("alert", f"{alert.id}, revision {alert.revision}, {alert.status}"),
        ("work", state(stored)),
        ("who", _actor(alert)),
        ("group", group),
        ("whose data", _exposure(alert.exposure)),
        ("where to", ", ".join(alert.destinations)),
        ("kind of place", ", ".join(alert.destination_classes)),
        ("by which way", ", ".join(alert.channels)),
        ("verdict", alert.verdict or ""),
        ("when", f"{alert.first} to {alert.last}"),
        ("measured", measured),
        ("files", ", ".join(file.name or file.sha256 or "?" for file in alert.files)),
        ("suppressed by", ", ".join(alert.suppressed_by)),
        ("late events", str(alert.late) if alert.late else ""),
        ("left out", f"{alert.left_out} events at a limit" if alert.left_out else ""),
        ("rule", alert.rule.place),
        ("tags", ", ".join(alert.rule.tags)),
    ]


def _actor(alert: Alert) -> str:
    about = [alert.actor.role, alert.actor.team, "leaver" if alert.actor.leaver else None]
    details = ", ".join(filter(None, about))
    if alert.actor.several:
        return f"{len(alert.actor.several)} accounts: {', '.join(alert.actor.several)}"
    return f"{alert.actor.id or 'unknown'}" + (f" ({details})" if details else "")


def _exposure(exposure: Exposure) -> str:
    about = [*exposure.categories, "vulnerable" if exposure.vulnerable else ""]
    text = f"{exposure.people} people, {exposure.records} records, {exposure.bytes} bytes"
    return ", ".join([text, *filter(None, about)])


def _evidence(evidence: Evidence) -> str:
    said = {
        called: _listed(evidence.fields[name]) for name, called in _TOLD.items() if name in evidence.fields
    }
    told = [f"{called}={value}" for called, value in said.items()]
    marks = [f"[{mark}]" for mark in evidence.marks]
    origins = strings(evidence.fields.get("outfall.content.origin_told"))
    place = f"({evidence.source} line {evidence.line})"
    return " ".join([evidence.time, *told, *marks, place, *(f"← {origin}" for origin in origins)])


def _listed(value: Scalar | list[Scalar]) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _print_list(console: Console, title: str, lines: Sequence[str]) -> None:
    if lines:
        console.print(Text(f"\n{title}", "bold"))
    for number, line in enumerate(lines, 1):
        console.print(Text(f"{number:>4}  {plain(line)}"))
