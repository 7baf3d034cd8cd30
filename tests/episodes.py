"""What must be equal between two shells over the same log."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from streams.alert import Alert


def episodes(alerts: Iterable[Alert]) -> list[dict[str, Any]]:
    """Give the last revision of each alert as all shells must tell it: without what order decides."""
    last: dict[str, Alert] = {}
    for alert in alerts:
        if alert.id not in last or alert.revision > last[alert.id].revision:
            last[alert.id] = alert
    aside = {"id", "superseded_by", "breach", "pages", "status"}
    told = [
        {name: value for name, value in alert.canonical().items() if name not in aside}
        for alert in last.values()
        if alert.status not in ("superseded", "retracted")
    ]
    return sorted(told, key=lambda one: (one["rule"]["id"], repr(one["group"]), one["first"]))


def pages(alerts: Iterable[Alert]) -> int:
    return sum(alert.page for alert in alerts)
