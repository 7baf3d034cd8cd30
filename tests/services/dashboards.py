"""The compiler of the dashboards, and what a panel of Kibana asks Elasticsearch."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.packages import cached, unavailable

DASHBOARDS = Path(__file__).resolve().parents[2] / "dashboards"
NEEDED = (3, 12)
METRICS = {"sum": "sum", "max": "max", "min": "min", "average": "avg", "unique_count": "cardinality"}


def python() -> str:
    """Give a Python that the compiler runs with, or skip the test where there is none."""
    pyenv = sorted((Path.home() / ".pyenv" / "versions").glob("3.1[2-9]*/bin/python"))
    named = [shutil.which(f"python3.{minor}") for minor in range(12, 16)]
    programs = [program for program in [sys.executable, *named, *map(str, pyenv)] if program]
    found = next((program for program in programs if _version(program) >= NEEDED), None)
    if found is None:
        unavailable("the compiler of the dashboards needs Python 3.12 or later")
    return found


def _version(program: str) -> tuple[int, ...]:
    ask = [program, "-c", "import sys; print(*sys.version_info[:2])"]
    done = subprocess.run(ask, capture_output=True, text=True, check=False, timeout=30)
    return tuple(map(int, done.stdout.split())) if done.returncode == 0 else (0,)


def compiler() -> Path:
    """Give the Python of an environment that has the compiler."""
    return cached("kb-dashboard-0.4.1", _install) / "bin" / "python"


def _install(aside: Path) -> Path:
    root = aside / "root"
    subprocess.run([python(), "-m", "venv", root], check=True, timeout=120)
    install = [root / "bin" / "python", "-m", "pip", "install", "--quiet", "--require-hashes"]
    locked = ["-r", DASHBOARDS / "requirements.lock"]
    done = subprocess.run([*install, *locked], capture_output=True, text=True, check=False, timeout=240)
    if done.returncode:
        unavailable(f"the compiler of the dashboards could not be installed: {done.stderr.strip()[-400:]}")
    return root


@dataclass(frozen=True)
class Panel:
    """A panel of a dashboard: what it is called, the index it looks at, and what it asks."""

    dashboard: str
    title: str
    view: str
    query: dict[str, Any]
    aggregations: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.dashboard}: {self.title}"


def objects() -> list[dict[str, Any]]:
    """Give all saved objects."""
    text = (DASHBOARDS / "outfall.ndjson").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def panels() -> Iterator[Panel]:
    """Give every panel that asks something by itself."""
    for one in objects():
        if one["type"] == "dashboard":
            for panel in json.loads(one["attributes"]["panelsJSON"]):
                if panel["type"] == "lens":
                    yield _panel(one["attributes"]["title"], panel["embeddableConfig"])


def _panel(dashboard: str, given: dict[str, Any]) -> Panel:
    attributes = given["attributes"]
    state = attributes["state"]
    ((_, layer),) = state["datasourceStates"]["formBased"]["layers"].items()
    (view,) = {reference["id"] for reference in attributes["references"]}
    return Panel(
        dashboard,
        given.get("title") or attributes["title"],
        view,
        _query(state["query"]),
        _aggregations(layer["columns"], layer["columnOrder"]),
    )


def _query(query: dict[str, str]) -> dict[str, Any]:
    if not query["query"]:
        return {"match_all": {}}
    assert query["language"] == "lucene", "so that what is asked here is what Kibana asks"
    return {"query_string": {"query": query["query"]}}


def _aggregations(columns: dict[str, Any], order: list[str]) -> dict[str, Any]:
    """Nest what is broken down by, with the numbers innermost, and at each level those it is sorted by."""
    buckets = [name for name in order if columns[name]["isBucketed"]]
    numbers = {name: _number(columns[name]) for name in order if not columns[name]["isBucketed"]}
    numbers = {name: number for name, number in numbers.items() if number}
    inner: dict[str, Any] = dict(numbers)
    for name in reversed(buckets):
        column = columns[name]
        if column["operationType"] == "date_histogram":
            days = {"field": column["sourceField"], "calendar_interval": "day", "min_doc_count": 1}
            how: dict[str, Any] = {"date_histogram": days}
        else:
            assert column["operationType"] == "terms", column
            by = column["params"]["orderBy"]
            key = by["columnId"] if by["type"] == "column" and by["columnId"] in numbers else "_count"
            direction = column["params"]["orderDirection"]
            size = column["params"]["size"]
            how = {"terms": {"field": column["sourceField"], "size": size, "order": {key: direction}}}
        inner = {name: how | {"aggs": inner | numbers}} if inner | numbers else {name: how}
    return inner


def _number(column: dict[str, Any]) -> dict[str, Any] | None:
    """Give the aggregation of a number; None for a count of documents, which each bucket has."""
    operation = column["operationType"]
    if operation == "count":
        return None
    return {METRICS[operation]: {"field": column["sourceField"]}}
