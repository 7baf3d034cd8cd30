"""Makes `outfall.ndjson`, which Kibana imports, and the description of it in `README.md`, from `source/`.

`make dashboards` runs it in an environment of its own: the compiler of the dashboards needs Python 3.12. The
same source gives the same bytes. Usage: `python build.py [FOLDER]`, the folder into which it writes.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).resolve().parent
BEGIN, END = "<!-- made by build.py -->\n", "<!-- until here -->\n"
ORDER = ("queue", "breach", "actor", "rules", "sources")


def main(folder: Path) -> None:
    """Write both files."""
    with tempfile.TemporaryDirectory() as aside:
        compiler = [sys.executable, "-c", "from dashboard_compiler.cli import cli; cli()", "compile"]
        command = [*compiler, "--input-dir", HERE / "source", "--output-dir", aside]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own
        if done.returncode:
            sys.exit(done.stdout + done.stderr)
        dashboards = (Path(aside) / "source.ndjson").read_text(encoding="utf-8").splitlines()
    objects = [json.loads(file.read_text(encoding="utf-8")) for file in (HERE / "objects").glob("*.json")]
    objects += map(json.loads, dashboards)
    # What others refer to comes first.
    kinds = ("index-pattern", "search", "dashboard")
    objects.sort(key=lambda one: (kinds.index(one["type"]), one["id"]))
    lines = [json.dumps(one, ensure_ascii=False, sort_keys=True) for one in objects]
    (folder / "outfall.ndjson").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    text = (HERE / "README.md").read_text(encoding="utf-8")
    before, after = text.partition(BEGIN)[0], text.partition(END)[2]
    described = "\n".join(line for name in ORDER for line in describe(name))
    (folder / "README.md").write_text(f"{before}{BEGIN}\n{described}\n{END}{after}", encoding="utf-8")


def describe(name: str) -> Iterator[str]:
    """Give the lines that describe a dashboard: its question, and its panels with theirs."""
    document = yaml.safe_load((HERE / "source" / f"{name}.yaml").read_text(encoding="utf-8"))
    for dashboard in document["dashboards"]:
        yield f"### {dashboard['name']}"
        yield f"{dashboard['description']}\n"
        yield "| panel | as | of | answers |\n|---|---|---|---|"
        for panel in dashboard["panels"]:
            if "markdown" not in panel:
                yield f"| {panel['title']} | {_kind(panel)} | {_view(panel)} | {panel['description']} |"
        yield ""


def _kind(panel: dict[str, Any]) -> str:
    return str(panel["lens"]["type"]) if "lens" in panel else "saved search"


def _view(panel: dict[str, Any]) -> str:
    return f"`{panel['lens']['data_view']}`" if "lens" in panel else f"`{panel['search']['saved_search_id']}`"


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
