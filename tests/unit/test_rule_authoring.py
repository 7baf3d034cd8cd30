"""What helps to write rules: explanations, pages, rules of others, expectations rewritten."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from streams.cli import app, exits
from streams.detect.load import load, loads
from streams.enrich import Enricher
from streams.enrich.load import load as load_enrichment
from streams.errors import Ignored, RecordError
from streams.event import Event, LogSource, Origin, RawRecord
from streams.normalise import FORMATS, normalise
from streams.normalise.base import PART, Context
from streams.normalise.postfix_join import PostfixJoin
from streams.rulebook.flowing import blind, given_by
from streams.rulebook.runner import TEST_KEY

CHECKOUT = Path(__file__).resolve().parents[2]
RULES, GOLDEN = CHECKOUT / "rules", CHECKOUT / "tests" / "golden"
EXCEPTION = RULES / "exceptions" / "payroll_to_the_pension_fund.yml"
ANY = {"auto", "ecs", "json"}


def outfall(*arguments: object, given: str = "") -> tuple[int, str, str]:
    done = CliRunner().invoke(app, [*map(str, arguments)], input=given)
    return done.exit_code, done.stdout, done.stderr


# --- which log sources formats give ---


def seen(name: str) -> set[LogSource]:
    """Give the log sources of the events in a format's golden log."""
    enricher = Enricher(load_enrichment(None, key=TEST_KEY))
    context, join = Context(received=1_772_000_000_000_000_000), PostfixJoin()
    found: set[LogSource] = set()
    for number, line in enumerate((GOLDEN / name / "input.log").read_bytes().splitlines()):
        record = RawRecord(line, Origin("s", name, number, number))
        try:
            event = normalise(record, FORMATS[name], context, require_time=False)
        except (RecordError, Ignored):
            continue
        events: list[Event] = [event, *join.add(event)] if PART in event.marks else [event]
        for one in events:
            enricher.describe(one)
            enricher.conclude(one)
            found |= {*one.logsources}
    return found


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_a_format_gives_the_log_sources_that_it_is_said_to_give(name: str) -> None:
    given = given_by(name)
    if name in ANY:
        assert given is None
        return
    assert given is not None
    assert seen(name) - {*given} == set()
    if name != "windows_event":  # the golden log has not every channel of Windows
        assert {*given} - seen(name) == set()


def names(formats: list[str], text: str | None = None) -> set[str]:
    book = load([RULES]) if text is None else loads(text)
    return {rule.label for rule in blind(book, formats)}


def test_rules_that_cannot_fire_with_some_sources() -> None:
    assert names(["squid", "ecs"]) == set()
    everything = [name for name in FORMATS if name not in ANY]
    assert names(everything) == set()
    with_proxies = names(["squid"])
    assert {
        "full_access_to_a_mailbox_granted",
        "bulk_read_then_egress",
        "many_people_printed",
    } <= with_proxies
    assert "upload_to_a_developer_tunnel" not in with_proxies
    assert "bulk_read_then_egress" not in names(["squid", "case_system"])


def test_coverage_holds_the_rules_against_the_sources(tmp_path: Path) -> None:
    config = tmp_path / "outfall.toml"
    config.write_text('[[sources]]\nname = "a"\npath = "a.log"\nformat = "squid"\n', encoding="utf-8")
    code, out, _ = outfall("rules", "coverage", RULES, "--config", config)
    lines = [json.loads(line) for line in out.splitlines()]
    assert code == exits.DONE
    given = {one["logsource"]["category"]: one["given"] for one in lines if "logsource" in one}
    assert (given["egress"], given["print"]) == (True, False)
    assert "many_people_printed" in {one["cannot_fire"] for one in lines if "cannot_fire" in one}


# --- explain ---

MAIL = {
    "@timestamp": "2026-03-02T10:00:00Z",
    "outfall.channel": "email",
    "outfall.egress": True,
    "outfall.destination.class": ["webmail"],
    "outfall.data.category": ["care"],
}


def test_an_event_is_explained_as_the_rules_see_it() -> None:
    given = f"{json.dumps(MAIL)}\n\n{json.dumps(MAIL | {'outfall.destination.class': 'internal'})}\n"
    code, out, said = outfall(
        "rules", "explain", "many_care_records_sent_outside", "--rules", RULES, given=given
    )
    assert code == exits.DONE, said
    assert "it rests on care_records_go_outside" in said
    lines = [json.loads(line) for line in out.splitlines()]
    assert [(one["event"], one["applies"], one["matched"]) for one in lines] == [
        (0, True, True),
        (2, True, False),
    ]
    assert {"category": "egress", "product": "outfall", "service": None} in lines[0]["event_logsources"]


def test_what_cannot_be_explained_is_said(tmp_path: Path) -> None:
    code, _, said = outfall("rules", "explain", "no_such_rule", "--rules", RULES, given="{}")
    assert (code, "there is no rule with the id or name 'no_such_rule'" in said) == (exits.USAGE, True)
    code, _, said = outfall("rules", "explain", "records_sent_home", "--rules", RULES, given="no json\n")
    assert (code, "line 0: " in said) == (exits.REJECTED, True)
    code, _, said = outfall("rules", "explain", "records_sent_home", tmp_path / "none", "--rules", RULES)
    assert code == exits.USAGE


# --- pages ---


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("pages")
    code, out, said = outfall("rules", "docs", RULES, "--out", folder)
    assert code == exits.DONE, said
    written = {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}
    assert {Path(json.loads(line)["page"]).name for line in out.splitlines()} == written.keys()
    return written


def test_every_rule_that_alerts_has_a_page_and_a_line(pages: dict[str, str]) -> None:
    alerting = {rule.label: rule for rule in load([RULES]).rules if rule.alerts}
    assert pages.keys() == {"README.md", *(f"{name}.md" for name in alerting)}
    for name, rule in alerting.items():
        assert f"[{name}]({name}.md)" in pages["README.md"]
        page = pages[f"{name}.md"]
        assert page.startswith(f"# {rule.title}\n")
        for part in ("What it looks for", "How grave it is", "What to do", "How it is tested"):
            assert f"\n## {part}\n" in page, name
        for step in rule.extras.runbook:
            assert " ".join(step.split()) in page
        assert "| categories of data |" in page
        assert "| 100 or more |" in page


def test_a_page_says_which_exceptions_there_are(pages: dict[str, str]) -> None:
    mandate = yaml.safe_load(EXCEPTION.read_text(encoding="utf-8"))["outfall"]
    for name in ("service_account_sends_outside", "many_people_sent_outside"):
        page = pages[f"{name}.md"]
        assert f"`payroll_to_the_pension_fund`, until {mandate['expires']}" in page
        assert "pension-fund.example" not in page.partition("## How grave")[0], "the rule, not the exception"
    assert "## Exceptions" not in pages["share_crawled.md"]


def test_the_table_of_a_page_is_that_of_the_severities(pages: dict[str, str]) -> None:
    assert "| 100 or more | critical | critical | yes |" in pages["many_care_records_sent_outside.md"]
    assert "| 1000 or more | high | high | no |" in pages["bulk_read_then_egress.md"]


# --- rules of others ---

FOREIGN = """\
title: {title}
name: {name}
logsource: {{{logsource}}}
detection: {{sel: {{{field}: x}}, condition: sel}}
"""


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """A checkout with a rule that sees something, one that does not, and one that is refused."""
    rules = {
        "windows/seen.yml": (
            "Seen",
            "seen",
            "product: windows, category: process_creation",
            "Image|endswith",
        ),
        "cloud/unseen.yml": ("Unseen", "unseen", "product: aws, service: cloudtrail", "eventName"),
        "windows/refused.yml": ("Refused", "refused", "product: windows", "Image|nonsense"),
    }
    for path, (title, name, logsource, field) in rules.items():
        file = tmp_path / "checkout" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        text = FOREIGN.format(title=title, name=name, logsource=logsource, field=field)
        file.write_text(text, encoding="utf-8")
    return tmp_path / "checkout"


def test_rules_of_others_are_reported_and_those_that_see_something_are_taken(
    foreign: Path, tmp_path: Path
) -> None:
    code, out, _ = outfall("rules", "import", foreign, "--out", tmp_path / "mine")
    assert code == exits.FINDINGS, "one is refused"
    lines = {Path(one["place"].partition(":")[0]).stem: one for one in map(json.loads, out.splitlines())}
    assert {name: one["status"] for name, one in lines.items()} == {
        "seen": "taken",
        "unseen": "unseen",
        "refused": "refused",
    }
    assert "winlog.event_data.Image" in lines["seen"]["fields"]["Image"]
    assert "no modifier `nonsense`" in lines["refused"]["reason"]
    copied = [path.relative_to(tmp_path / "mine").as_posix() for path in (tmp_path / "mine").rglob("*.yml")]
    assert copied == ["windows/seen.yml"]
    assert (tmp_path / "mine" / "windows" / "seen.yml").read_bytes() == (
        foreign / "windows/seen.yml"
    ).read_bytes()


def test_the_sources_of_settings_decide_what_is_seen(foreign: Path, tmp_path: Path) -> None:
    config = tmp_path / "outfall.toml"
    config.write_text('[[sources]]\nname = "a"\npath = "a.log"\nformat = "squid"\n', encoding="utf-8")
    _, out, _ = outfall("rules", "import", foreign, "--config", config)
    assert {json.loads(line)["status"] for line in out.splitlines()} == {"unseen", "refused"}
    assert outfall("rules", "import", tmp_path / "nothing")[0] == exits.USAGE


# --- expectations rewritten ---

RULE = """\
title: An export
name: an_export
logsource: {category: case_system, product: outfall}
detection: {export: {event.action: record.exported}, condition: export}
level: low
"""
TESTS = """\
# what stands here stays
templates:
  export: &export {outfall.channel: case_system, event.action: record.exported}
cases:
  - name: fires, and was not expected
    events: [{<<: *export, at: +0m, user.name: ann, outfall.raw.subject: [P-1]}]
    expect: []  # a word
  - name: fires otherwise
    pages: 3
    events: [{<<: *export, at: +0m, user.name: ann}]
    expect:
      - {rule: an_export, severity: high, group: {outfall.actor.id: bob}}
      - another

  - name: does not fire
    events: [{at: +0m, outfall.channel: case_system, event.action: search}]
    expect:
      - an_export
  - name: is right
    expect: [an_export]
    events:
      - {<<: *export, at: +0m, user.name: ann}
"""
REWRITTEN = """\
# what stands here stays
templates:
  export: &export {outfall.channel: case_system, event.action: record.exported}
cases:
  - name: fires, and was not expected
    events: [{<<: *export, at: +0m, user.name: ann, outfall.raw.subject: [P-1]}]
    expect:
      - {rule: an_export, people: 1, pages: 0}  # a word
  - name: fires otherwise
    pages: 0
    events: [{<<: *export, at: +0m, user.name: ann}]
    expect:
      - {rule: an_export, group: {outfall.actor.id: ann}, severity: low}

  - name: does not fire
    events: [{at: +0m, outfall.channel: case_system, event.action: search}]
    expect: []
  - name: is right
    expect: [an_export]
    events:
      - {<<: *export, at: +0m, user.name: ann}
"""


def test_expectations_are_rewritten_and_the_difference_shown(tmp_path: Path) -> None:
    (tmp_path / "an_export.yml").write_text(RULE, encoding="utf-8")
    test = tmp_path / "an_export.test.yml"
    test.write_text(TESTS, encoding="utf-8")
    assert outfall("rules", "test", tmp_path)[0] == exits.FINDINGS
    assert test.read_text(encoding="utf-8") == TESTS, "not unless asked to"
    code, out, said = outfall("rules", "test", tmp_path, "--update")
    assert test.read_text(encoding="utf-8") == REWRITTEN
    assert code == exits.DONE
    assert all(json.loads(line)["passed"] for line in out.splitlines())
    assert "-    pages: 3" in said
    assert "+    expect: []" in said
    code, _, said = outfall("rules", "test", tmp_path, "--update")
    assert (code, said) == (exits.DONE, ""), "nothing is left to rewrite"


def test_the_books_own_tests_can_be_rewritten_after_a_rule_has_changed(tmp_path: Path) -> None:
    book = tmp_path / "rules"
    shutil.copytree(RULES, book)
    rule = book / "egress" / "many_care_records_sent_outside.yml"
    rule.write_text(rule.read_text(encoding="utf-8").replace("gt: 100\n", "gt: 90\n"), encoding="utf-8")
    code, out, said = outfall("rules", "test", rule, "--update")
    assert code == exits.DONE, said
    assert "+      - {rule: many_care_records_sent_outside, people: 100, pages: 1}" in said
    results: list[Any] = [json.loads(line) for line in out.splitlines()]
    assert all(one["passed"] for one in results)


def test_a_place_is_told_as_it_is_and_not_as_an_emoji(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text("\n" * 99 + "title: [\n", encoding="utf-8")
    _, _, said = outfall("rules", "check", tmp_path / "a.yml")
    assert re.search(r"a\.yml:10[01]:\d+: ", said)
    (tmp_path / "a.yml").write_text(
        "\n" * 99 + RULE.replace("title: An", "title: 5\nid: An"), encoding="utf-8"
    )
    _, _, said = outfall("rules", "check", tmp_path / "a.yml")
    assert "💯" not in said


def test_every_console_leaves_emojis_alone() -> None:
    for path in (CHECKOUT / "streams").rglob("*.py"):
        for found in re.findall(r"(?<![\w.])Console\(([^)]*)\)", path.read_text(encoding="utf-8")):
            assert "emoji=False" in found, path
