"""How a backtest is shown: each rule, what on-call and analysts would have had to do, who is behind it."""

from __future__ import annotations

import sys
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table
from rich.text import Text

from streams.alert import Alert
from streams.rulebook.backtest import Backtest
from streams.rulebook.compare import label
from streams.rulebook.differences import Difference, differences

SIGNS = {"added": ("+", "green"), "gone": ("-", "red"), "changed": ("~", "yellow")}
"""How a difference is marked, and its colour."""
_ACTORS = 5
"""Most actors that a line names."""


def print_json(now: Backtest, then: Backtest | None, against: str | None) -> None:
    """Print a line for each rule that raised an alert, and one for all of them."""
    rules, before = now.by_rule(), {} if then is None else then.by_rule()
    for name in sorted(rules | before):
        line: dict[str, Any] = {"rule": name, **figures(rules.get(name, Backtest()))}
        if then is not None:
            line["before"] = figures(before.get(name, Backtest()))
        sys.stdout.buffer.write(orjson.dumps(line) + b"\n")
    total: dict[str, Any] = {"rule": None, "days": round(now.days, 3), **figures(now)}
    total |= {name: now.counts[name] for name in ("records", "rejected", "late")}
    if then is not None:
        found = [one.document() for one in differences(then.alerts, now.alerts)]
        total |= {"against": against, "before": figures(then), "differences": found}
    sys.stdout.buffer.write(orjson.dumps(total) + b"\n")
    sys.stdout.buffer.flush()


def figures(result: Backtest) -> dict[str, Any]:
    """Give the figures of alerts, as JSON has them."""
    return {
        "alerts": len(result.alerts),
        "pages": result.pages,
        "tickets": result.tickets,
        "suppressed": result.suppressed,
        "people": max((alert.exposure.people for alert in result.alerts), default=0),
        "actors": result.actors(),
    }


def print_table(now: Backtest, then: Backtest | None, against: str | None) -> None:
    """Print a table of the rules, the pages in their order, and a sentence."""
    console = Console(emoji=False, highlight=False)
    console.print(_rules(now) if then is None else _compared(now, then, str(against)))
    paging = [alert for alert in now.alerts if alert.pages]
    if paging:
        console.print(_pages(paging))
    found = [] if then is None else differences(then.alerts, now.alerts)
    if found:
        console.print(difference_table(found))
    console.print(_sentence(now), style="bold")
    if then is not None:
        console.print(f"at {against}: {_sentence(then)}")


def _rules(now: Backtest) -> Table:
    table = Table(box=None, header_style="bold")
    table.add_column("rule", no_wrap=True)
    for name in ("alerts", "pages", "tickets", "suppressed", "people"):
        table.add_column(name, justify="right")
    table.add_column("actors")
    for name, part in _ordered(now):
        table.add_row(
            name,
            str(len(part.alerts)),
            Text(str(part.pages), "bold red" if part.pages else ""),
            str(part.tickets),
            str(part.suppressed),
            str(figures(part)["people"]),
            Text(_names(part.actors())),
        )
    return table


def _compared(now: Backtest, then: Backtest, against: str) -> Table:
    table = Table("rule", f"pages at {against}", "now", "tickets then", "now", box=None, header_style="bold")
    rules, before = now.by_rule(), then.by_rule()
    for name in sorted(rules | before):
        new, old = rules.get(name, Backtest()), before.get(name, Backtest())
        pages = Text(str(new.pages), "bold red" if new.pages > old.pages else "")
        tickets = Text(str(new.tickets), "yellow" if new.tickets > old.tickets else "")
        table.add_row(name, str(old.pages), pages, str(old.tickets), tickets)
    return table


def _ordered(result: Backtest) -> list[tuple[str, Backtest]]:
    return sorted(result.by_rule().items(), key=lambda pair: (-pair[1].pages, -pair[1].tickets, pair[0]))


def _pages(alerts: list[Alert]) -> Table:
    table = Table("paged", "severity", "actor", "why", box=None, header_style="bold")
    for alert in alerts:
        actors = _names([one for one in (alert.actor.id, *alert.actor.several) if one])
        reason = Text(f"{label(alert)}: {alert.reason}")
        table.add_row(alert.first[:16].replace("T", " "), alert.severity, Text(actors), reason)
    return table


def difference_table(found: list[Difference]) -> Table:
    """Give a table of what differs."""
    table = Table("", "rule", "first", "group", "before", "after", box=None, header_style="bold")
    for difference in found:
        sign, style = SIGNS[difference.change]
        alert = difference.alert
        table.add_row(
            Text(sign, style),
            label(alert),
            alert.first[:16].replace("T", " "),
            Text(", ".join(map(str, alert.group.values()))),
            _short(difference.before),
            _short(difference.after),
        )
    return table


def _short(alert: Alert | None) -> str:
    if alert is None:
        return "-"
    hidden = ", suppressed" if alert.suppressed_by else ""
    pages = "1 page" if alert.pages == 1 else f"{alert.pages} pages"
    return f"{alert.severity}, {alert.exposure.people} people, {pages}{hidden}"


def _names(actors: list[str]) -> str:
    more = f" and {len(actors) - _ACTORS} more" if len(actors) > _ACTORS else ""
    return ", ".join(actors[:_ACTORS]) + more


def _sentence(result: Backtest) -> str:
    pages = "once" if result.pages == 1 else f"{result.pages} times"
    tickets = "1 ticket" if result.tickets == 1 else f"{result.tickets} tickets"
    days = max(1, round(result.days))
    span = "1 day" if days == 1 else f"{days} days"
    alerts = "1 alert" if result.suppressed == 1 else f"{result.suppressed} alerts"
    hidden = f"; exceptions would have suppressed {alerts}" if result.suppressed else ""
    return f"would have paged {pages} in {span}, and raised {tickets}{hidden}"


def print_counts(console: Console, result: Backtest) -> None:
    """Say what of the records was not looked at."""
    counts = result.counts
    if counts["rejected"]:
        console.print(f"unreadable records: {counts['rejected']} (`outfall normalise` says why)")
    if counts["late"]:
        console.print(f"events later than the allowed lateness, which windows left out: {counts['late']}")
    if not counts["records"]:
        console.print("there was no record", style="yellow")
