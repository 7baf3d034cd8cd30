"""deploy/github/rules.yml is a workflow of GitHub, and each command in it runs on our own rule book."""

from __future__ import annotations

import os
import re
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
    return [step["run"] for step in job["steps"] if "outfall rules" in step.get("run", "")]


def test_it_is_a_workflow() -> None:
    checker = Path(sys.executable).with_name("check-jsonschema")
    command = [checker, "--builtin-schema", "vendor.github-workflows", FILE]
    subprocess.run(command, check=True, timeout=120)


def run(command: str, folder: Path, **given: str) -> subprocess.CompletedProcess[str]:
    assert not re.search(r"\$\{\{", command), "an input in a script could say anything"
    path = f"{OUTFALL.parent}:{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=folder,
        env=ENVIRONMENT | {"PATH": path} | given,
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )


GIVEN = {"RULES": str(CHECKOUT / "rules" / "partner"), "SCORE": "90", "SIGNING_KEY": ""}


@pytest.mark.parametrize("command", commands())
def test_each_command_passes_on_our_rule_book(command: str, tmp_path: Path) -> None:
    done = run(command, tmp_path, **GIVEN)
    assert done.returncode == 0, done.stderr


def test_with_a_key_the_bundle_is_signed_and_the_key_does_not_stay(tmp_path: Path) -> None:
    key = ["openssl", "genpkey", "-algorithm", "ed25519"]
    made = subprocess.run(key, capture_output=True, text=True, check=True).stdout
    (command,) = (one for one in commands() if "SIGNING_KEY" in one)
    done = run(command, tmp_path, **GIVEN | {"SIGNING_KEY": made.strip()})
    assert '"signed":true' in done.stdout, done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["rules.tar.gz"]


def test_there_are_some() -> None:
    assert len(commands()) == 5
