"""`outfall rules coverage` and `outfall rules new`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from streams.cli import app, exits

RULES = Path(__file__).resolve().parents[2] / "rules"


def outfall(*arguments: str | Path) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["rules", *map(str, arguments)])
    return done.exit_code, done.stdout, done.stderr


def test_techniques_with_their_rules_and_the_log_sources_that_they_need(tmp_path: Path) -> None:
    file = tmp_path / "layer.json"
    code, told, said = outfall("coverage", RULES, "--navigator", file)
    assert (code, said) == (exits.DONE, "")
    lines = [json.loads(line) for line in told.splitlines()]
    found = {line["technique"]: line for line in lines if "technique" in line}
    assert "many_care_records_sent_outside" in found["T1048"]["rules"]
    assert found["T1052.001"]["name"] == "Exfiltration over USB"
    sources = {line["logsource"]["category"]: line["rules"] for line in lines if "logsource" in line}
    assert "bulk_read_then_egress" in sources["case_system"], "by way of its correlations"
    assert "bulk_read_then_egress" in sources["egress"]
    layer = json.loads(file.read_text(encoding="utf-8"))
    assert layer["versions"] == {"attack": "17", "navigator": "5.1.0", "layer": "4.5"}
    assert {one["techniqueID"]: one["score"] for one in layer["techniques"]} == {
        identity: len(line["rules"]) for identity, line in found.items()
    }


def test_coverage_of_nothing(tmp_path: Path) -> None:
    code, told, said = outfall("coverage", tmp_path)
    assert (code, told) == (exits.USAGE, "")
    assert "there is no rule" in said
    code, _, said = outfall("coverage", RULES, "--navigator", tmp_path / "no" / "layer.json")
    assert code == exits.USAGE
    assert "No such file" in said


@pytest.mark.parametrize("title", ["Tax data sent abroad", 'It\'s "new": 5 % {x} #1', "2 lists a day"])
def test_a_new_rule_runs_and_keeps_the_house_rules(tmp_path: Path, title: str) -> None:
    shutil.copy(RULES / "severity.yml", tmp_path)
    code, told, said = outfall("new", title, "--in", tmp_path / "egress", "--author", "A. O'Neil")
    assert (code, said) == (exits.DONE, "")
    rule, test = map(Path, told.splitlines())
    assert "TODO" in rule.read_text(encoding="utf-8")
    code, told, said = outfall("test", test, "--mutate")
    assert (code, said) == (exits.DONE, ""), said
    code, told, said = outfall("check", rule, "--house")
    assert (code, said) == (exits.DONE, ""), said
    assert json.loads(told)["title"] == title


def test_nothing_is_written_over(tmp_path: Path) -> None:
    assert outfall("new", "A rule", "--in", tmp_path)[0] == exits.DONE
    code, told, said = outfall("new", "A rule", "--in", tmp_path)
    assert (code, told) == (exits.USAGE, "")
    assert said.count("is there already") == 2
    assert outfall("new", "!!", "--in", tmp_path)[0] == exits.USAGE
