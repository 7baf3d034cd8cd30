"""What an expression of Prometheus speaks of, as far as tests need to know it: metrics and labels."""

from __future__ import annotations

import re

from streams.metrics import CATALOGUE

LABELS = {metric.name: {label.name for label in metric.labels} for metric in CATALOGUE}
LABELS |= {
    "up": set(),
    "process_start_time_seconds": set(),
    "process_resident_memory_bytes": set(),
    "process_cpu_seconds_total": set(),
}
TARGET = {"job", "instance"}  # what Prometheus adds to all that it scrapes


def metrics(expression: str) -> set[str]:
    """Give the metrics in an expression, without what is appended to the names of histograms."""
    names = re.findall(r"\b(?:outfall|process)_[a-z_]+\b|\bup\b", expression)
    return {re.sub(r"_(bucket|sum|count)$", "", name) for name in names}


def labels(expression: str) -> set[str]:
    """Give the labels that an expression groups or selects by."""
    grouped = re.findall(r"\b(?:by|on|ignoring|without) \(([a-z_, ]*)\)", expression)
    selected = re.findall(r"([a-z_]+)(?:=~|!~|!=|=)\"", expression)
    return {name for group in grouped for name in re.findall("[a-z_]+", group)} | set(selected)


def faults(expression: str) -> list[str]:
    """List the metrics that there are not, and the labels that none of an expression's metrics has."""
    unknown = metrics(expression) - LABELS.keys()
    known = set().union(*(LABELS[name] for name in metrics(expression) - unknown), TARGET, {"le"})
    return [f"no such metric: {name}" for name in sorted(unknown)] + [
        f"no such label: {name}" for name in sorted(labels(expression) - known)
    ]
