"""deploy/github/rules.yml is a workflow of GitHub, and each command in it runs on our own rule book."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from services.outfall import ENVIRONMENT, OUTFALL

CHECKOUT = Path(__file__).resolve().parents[2]
FILE = CHECKOUT / "deploy" / "github" / "rules.yml"


def commands() -> list[str]:
    (job,) = yaml.safe_load(FILE.read_text(encoding="utf-8"))["jobs"].values()
    return [step["run"] for step in job["steps"] if step.get("run", "").startswith("outfall ")]


def test_it_is_a_workflow() -> None:
    checker = Path(sys.executable).with_name("check-jsonschema")
    command = [checker, "--builtin-schema", "vendor.github-workflows", FILE]
    subprocess.run(command, check=True, timeout=120)


@pytest.mark.parametrize("command", commands())
def test_each_command_passes_on_our_rule_book(command: str, tmp_path: Path) -> None:
    assert not re.search(r"\$\{\{", command), "an input in a script could say anything"
    given = {"RULES": str(CHECKOUT / "rules" / "partner"), "SCORE": "90"}
    _, *arguments = shlex.split(re.sub(r"\$(\w+)", lambda found: given[found[1]], command))
    done = subprocess.run(
        [OUTFALL, *arguments],
        cwd=tmp_path,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_there_are_some() -> None:
    assert len(commands()) == 3
