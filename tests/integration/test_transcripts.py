"""docs/rules.md shows what the commands really print."""

from __future__ import annotations

import difflib
import re
import subprocess
import sys
from pathlib import Path

import typer

from streams.cli import app

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = DOCS / "rules.md"


def test_transcripts_are_what_the_commands_print(tmp_path: Path) -> None:
    made = tmp_path / "rules.md"
    done = subprocess.run(
        [sys.executable, DOCS / "transcripts.py", made],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    stands, is_so = (path.read_text(encoding="utf-8").splitlines() for path in (PAGE, made))
    differ = [*difflib.unified_diff(stands, is_so, "docs/rules.md", "printed", lineterm="", n=1)]
    assert not differ, "\n".join(["`make transcripts` writes it anew", *differ])


def test_each_command_about_rules_is_shown() -> None:
    group = typer.main.get_command(app).commands["rules"]  # type: ignore[attr-defined]  # it is a group
    blocks = re.findall(r"<!-- transcript[^>]*-->\n```console\n(.*?)```", PAGE.read_text(), re.DOTALL)
    shown = {name for block in blocks for name in re.findall(r"^\$ outfall rules (\S+)", block, re.MULTILINE)}
    assert shown == group.commands.keys()
