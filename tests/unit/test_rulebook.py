"""The tests beside the rules: templates, reading, running, comparing, the command."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from streams.cli import app, exits
from streams.errors import ConfigError
from streams.event import NANOSECONDS
from streams.rulebook import runner
from streams.rulebook.case import read
from streams.rulebook.field_names import FIELDS
from streams.rulebook.template import duration, expand

RULE = """\
title: Mail about people
name: mail_about_people
id: 0d6a2c0e-7f53-4f0e-8a3c-0a8f3f8f1a01
logsource: {category: egress, product: outfall}
detection:
  people: {outfall.subjects.count|gte: 1}
  condition: people
---
title: Many people mailed
name: many_people_mailed
id: 0d6a2c0e-7f53-4f0e-8a3c-0a8f3f8f1a02
level: high
correlation:
  type: value_count
  rules: [mail_about_people]
  group-by: [outfall.actor.id]
  timespan: 1h
  condition: {gt: 3, field: outfall.subjects.id}
"""
OTHER = """\
title: Mail to an unknown place
name: mail_to_an_unknown_place
id: 0d6a2c0e-7f53-4f0e-8a3c-0a8f3f8f1a03
level: low
logsource: {category: egress, product: outfall}
detection:
  place: {outfall.destination.name: x@strange.example}
  condition: place
"""
MAIL = """\
templates:
  mail: &mail
    outfall.channel: email
    email.from.address: a@council.example
    email.to.address: [b@elsewhere.example]
enrich:
  destinations.toml: |
    internal_domains = ["council.example"]
cases:
"""


@pytest.fixture
def book(tmp_path: Path) -> Path:
    (tmp_path / "severity.yml").write_text("page_from: critical\n", encoding="utf-8")
    (tmp_path / "mail").mkdir()
    (tmp_path / "mail" / "many_people_mailed.yml").write_text(RULE, encoding="utf-8")
    (tmp_path / "mail" / "mail_to_an_unknown_place.yml").write_text(OTHER, encoding="utf-8")
    return tmp_path


def write_test(book: Path, cases: str) -> Path:
    path = book / "mail" / "many_people_mailed.test.yml"
    path.write_text(MAIL + cases, encoding="utf-8")
    return path


def problems(book: Path, cases: str) -> list[tuple[str, ...]]:
    path = write_test(book, cases)
    root, tests = runner.find(path)
    opened = runner.open_book(root)
    return [opened.run(case).problems for case in runner.read_all(tests)]


class TestTemplates:
    def test_an_event_is_repeated_with_its_number_and_its_time(self) -> None:
        documents = [*expand({"at": "+1h", "repeat": 3, "every": "1d", "user.name": "u{n}"}, 0)]
        assert [document["user.name"] for document in documents] == ["u1", "u2", "u3"]
        assert [document["@timestamp"] for document in documents] == [
            "1970-01-01T01:00:00Z",
            "1970-01-02T01:00:00Z",
            "1970-01-03T01:00:00Z",
        ]

    def test_a_range_makes_elements_of_a_list(self) -> None:
        [document] = expand(
            {"at": "0s", "ids": ["x", "P-{n}-{1..3}", "{1..2}{7..8}"], "deep": {"a": ["{5..6}"]}}, 0
        )
        assert document["ids"] == ["x", "P-1-1", "P-1-2", "P-1-3", "17", "18", "27", "28"]
        assert document["deep"] == {"a": ["5", "6"]}

    def test_what_is_no_text_stays(self) -> None:
        [document] = expand({"at": "0s", "number": 5, "yes": True, "nothing": None, "numbers": [1, 2]}, 0)
        assert {key: document[key] for key in ("number", "yes", "nothing", "numbers")} == {
            "number": 5,
            "yes": True,
            "nothing": None,
            "numbers": [1, 2],
        }

    def test_a_time_of_its_own(self) -> None:
        [document] = expand({"@timestamp": "2026-01-01T00:00:00Z"}, 5)
        assert document == {"@timestamp": "2026-01-01T00:00:00Z"}

    @pytest.mark.parametrize(
        ("text", "seconds"), [("5m", 300), ("+1d2h", 93_600), ("-30s", -30), ("+0s", 0), ("1h1m1s", 3661)]
    )
    def test_durations(self, text: str, seconds: int) -> None:
        assert duration(text) == seconds * NANOSECONDS

    @pytest.mark.parametrize("text", ["", "5", "m", "5 m", "5w", "+-5m", 5, None, "1.5h"])
    def test_what_is_no_duration(self, text: object) -> None:
        with pytest.raises(ValueError, match="a time such as"):
            duration(text)

    @pytest.mark.parametrize(
        ("template", "reason"),
        [
            ({}, "either at or @timestamp"),
            ({"at": "0s", "@timestamp": "2026-01-01T00:00:00Z"}, "either at or @timestamp"),
            ({"@timestamp": "2026-01-01T00:00:00Z", "repeat": 2}, "repeat needs at"),
            ({"at": "0s", "repeat": 0}, "repeat is a number"),
            ({"at": "0s", "repeat": True}, "repeat is a number"),
            ({"at": "0s", "repeat": 10**9}, "repeat is a number"),
            ({"at": "0s", "every": "soon", "repeat": 2}, "a time such as"),
            ({"at": "0s", "name": "P-{1..3}"}, "needs a list around it"),
            ({"at": "0s", "names": ["P-{3..1}"]}, "goes upwards"),
            ({"at": "0s", "names": ["P-{1..999999}"]}, "at most"),
        ],
    )
    def test_what_is_no_template(self, template: dict[str, object], reason: str) -> None:
        with pytest.raises(ValueError, match=reason):
            [*expand(template, 0)]


class TestReading:
    def test_times_stay_text_and_cases_know_their_lines(self, book: Path) -> None:
        path = write_test(
            book,
            "  - name: first\n    events: [{<<: *mail, '@timestamp': 2026-01-01T00:00:00Z}]\n    expect: []\n"
            "  - name: second\n    events: [{<<: *mail, at: 1m}]\n    expect: [many_people_mailed]\n",
        )
        first, second = read(path)
        assert first.documents[0]["@timestamp"] == "2026-01-01T00:00:00Z"
        assert second.documents[0]["@timestamp"] == "2026-03-02T09:01:00Z"
        assert (first.place.line, second.place.line) == (10, 13)
        assert [expected.rule for expected in second.expect] == ["many_people_mailed"]
        assert second.rule == "many_people_mailed"

    def test_every_problem_has_its_line(self, book: Path) -> None:
        path = write_test(
            book,
            "  - name: first\n    events: [{at: 1m}]\n    expect:\n"
            "      - {rule: a, peple: 4}\n      - {rule: b, severity: grave}\n"
            "  - events: []\n    expect: []\n",
        )
        with pytest.raises(ConfigError) as caught:
            read(path)
        lines = [problem.removeprefix(f"{path}:").partition(":")[0] for problem in caught.value.problems]
        assert lines == ["13", "14", "15", "15"]
        said = [problem.removeprefix(f"{path}:").partition(": ")[2] for problem in caught.value.problems]
        assert said == [
            "cases[0].expect[0].peple: there is no such key",
            "cases[0].expect[1].severity: it is one of informational, low, medium, high, critical",
            "cases[1].name: it is missing",
            "cases[1].events: there must be at least one",
        ]

    def test_a_wrong_template_has_its_line(self, book: Path) -> None:
        path = write_test(
            book, "  - name: first\n    events:\n      - {at: 1m}\n      - {at: later}\n    expect: []\n"
        )
        with pytest.raises(ConfigError, match=r":13: a time such as"):
            read(path)

    @pytest.mark.parametrize(
        "text", ["", "cases: [", "cases: []", "- 1", "cases: {a: 1}", "\tx", "a: *nobody"]
    )
    def test_what_is_no_test_file(self, tmp_path: Path, text: str) -> None:
        path = tmp_path / "x.test.yml"
        path.write_text(text, encoding="utf-8")
        with pytest.raises(ConfigError, match=r"x\.test\.yml:\d+: "):
            read(path)


class TestRunning:
    def test_what_is_expected_passes(self, book: Path) -> None:
        cases = """\
  - name: four people
    events: [{<<: *mail, at: 0s, repeat: 4, every: 10m, outfall.raw.subject: ["P-{n}"]}]
    expect:
      - rule: many_people_mailed
        group: {outfall.actor.id: a}
        observed: 4
        people: 4
        pages: 0
        reason: by e-mail
    pages: 0
  - name: three people
    events: [{<<: *mail, at: 0s, repeat: 3, every: 10m, outfall.raw.subject: ["P-{n}"]}]
    expect: []
"""
        assert problems(book, cases) == [(), ()]

    def test_the_exact_set_is_that_of_the_whole_book(self, book: Path) -> None:
        cases = """\
  - name: another rule fires too
    events: [{<<: *mail, at: 0s, email.to.address: [x@strange.example], outfall.raw.subject: ["P-{1..4}"]}]
    expect: [many_people_mailed]
"""
        [[problem]] = problems(book, cases)
        assert problem.startswith(
            "mail_to_an_unknown_place: expected no alert, saw one: a sent data of 4 people"
        )

    def test_an_alert_that_is_missing_says_what_matched(self, book: Path) -> None:
        cases = """\
  - name: three people
    events: [{<<: *mail, at: 0s, outfall.raw.subject: ["P-{1..3}"]}]
    expect: [many_people_mailed, no_such_rule]
"""
        [found] = problems(book, cases)
        assert found == (
            "many_people_mailed: expected an alert, saw none (mail_about_people matched 1)",
            "no_such_rule: expected an alert, saw none (there is no such rule)",
        )

    def test_every_difference_is_told(self, book: Path) -> None:
        cases = """\
  - name: four people
    events: [{<<: *mail, at: 0s, outfall.raw.subject: ["P-{1..4}"]}]
    expect:
      - rule: many_people_mailed
        group: {outfall.actor.id: b}
        observed: 5
        people: 6
        severity: high
        pages: 2
        reason: on paper
    pages: 3
"""
        [found] = problems(book, cases)
        assert found[:2] == (
            "many_people_mailed: expected group {'outfall.actor.id': 'b'}, saw {'outfall.actor.id': 'a'}",
            "many_people_mailed: expected observed 5, saw 4",
        )
        assert "expected people 6, saw 4" in found[2]
        assert "expected severity high, saw low" in found[3]
        assert "expected pages 2, saw 0" in found[4]
        assert "'on paper' in the reason" in found[5]
        assert found[6] == "expected 3 pages in all, saw 0"

    def test_two_alerts_of_one_rule_are_two(self, book: Path) -> None:
        cases = """\
  - name: two senders
    events:
      - {<<: *mail, at: 0s, outfall.raw.subject: ["P-{1..4}"]}
      - {<<: *mail, at: 0s, email.from.address: c@council.example, outfall.raw.subject: ["P-{1..5}"]}
    expect:
      - {rule: many_people_mailed, observed: 5}
      - {rule: many_people_mailed, observed: 4}
  - name: one expected
    events:
      - {<<: *mail, at: 0s, outfall.raw.subject: ["P-{1..4}"]}
      - {<<: *mail, at: 0s, email.from.address: c@council.example, outfall.raw.subject: ["P-{1..5}"]}
    expect: [many_people_mailed]
"""
        first, second = problems(book, cases)
        assert first == ()
        assert len(second) == 1

    def test_an_event_that_cannot_be_read_fails_the_case(self, book: Path) -> None:
        cases = """\
  - name: no time
    events: [{<<: *mail, "@timestamp": yesterday}]
    expect: []
"""
        [[problem]] = problems(book, cases)
        assert problem.startswith("event 1 cannot be read: ")

    @pytest.mark.parametrize(
        "enrich", ["nowhere", "{../destinations.toml: ''}", "{destinations.toml: 'x ='}"]
    )
    def test_an_enrichment_that_cannot_be_read(self, book: Path, enrich: str) -> None:
        path = book / "mail" / "many_people_mailed.test.yml"
        path.write_text(
            f"enrich: {enrich}\ncases:\n  - name: x\n    events: [{{at: 0s}}]\n    expect: []\n",
            encoding="utf-8",
        )
        [case] = read(path)
        with pytest.raises(ConfigError):
            runner.open_book(book).run(case)


class TestFinding:
    def test_a_folder_a_rule_and_a_test_have_the_same_book(self, book: Path) -> None:
        path = write_test(book, "  - name: x\n    events: [{at: 0s}]\n    expect: []\n")
        rule = path.with_name("many_people_mailed.yml")
        assert [runner.find(given) for given in (book, book / "mail", rule, path)] == [(book, [path])] * 4

    def test_without_a_severity_table_the_folder_is_the_book(self, tmp_path: Path) -> None:
        (tmp_path / "rules").mkdir()
        test = tmp_path / "rules" / "x.test.yml"
        test.write_text("", encoding="utf-8")
        assert runner.find(test) == (tmp_path / "rules", [test])

    @pytest.mark.parametrize("given", ["nowhere", "mail", "mail/many_people_mailed.yml"])
    def test_where_there_is_no_test(self, book: Path, given: str) -> None:
        with pytest.raises(ConfigError, match="there is no"):
            runner.find(book / given)


class TestFieldNames:
    def test_they_are_those_that_the_architecture_lists(self) -> None:
        text = (Path(__file__).parents[2] / "docs" / "architecture.md").read_text(encoding="utf-8")
        rows = [row.split("|")[1] for row in text.splitlines() if row.startswith("| `")]
        assert {name for row in rows for name in re.findall(r"`(outfall\.[^`]*)`", row)} == FIELDS


class TestCommand:
    CASES = """\
  - name: four people
    events: [{<<: *mail, at: 0s, outfall.raw.subject: ["P-{1..4}"]}]
    expect: [many_people_mailed]
  - name: five people
    events: [{<<: *mail, at: 0s, outfall.raw.subject: ["P-{1..5}"]}]
    expect: []
"""

    def test_a_failure_is_told_with_its_place(self, book: Path) -> None:
        path = write_test(book, self.CASES)
        result = CliRunner().invoke(app, ["rules", "test", str(book)])
        assert result.exit_code == exits.FINDINGS
        first, second = (json.loads(line) for line in result.stdout.splitlines())
        assert (first["passed"], first["fired"], first["line"]) == (True, ["many_people_mailed"], 10)
        assert not second["passed"]
        assert f"{path}:13: five people: many_people_mailed: expected no alert" in result.stderr

    def test_all_is_well(self, book: Path) -> None:
        path = write_test(book, self.CASES.partition("  - name: five")[0])
        result = CliRunner().invoke(app, ["rules", "test", str(path)])
        assert (result.exit_code, result.stderr) == (exits.DONE, "")

    def test_a_refused_rule_is_a_finding(self, book: Path) -> None:
        path = write_test(book, self.CASES.partition("  - name: five")[0])
        bad = book / "mail" / "bad.yml"
        bad.write_text(
            "title: Bad\nlogsource: {product: outfall}\ndetection: {condition: nothing}\n", encoding="utf-8"
        )
        result = CliRunner().invoke(app, ["rules", "test", str(path)])
        assert result.exit_code == exits.FINDINGS
        assert f"{bad}:" in result.stderr

    def test_a_misspelled_field_of_ours_is_a_finding(self, book: Path) -> None:
        path = write_test(book, self.CASES.partition("  - name: five")[0])
        rule = path.with_name("many_people_mailed.yml")
        text = rule.read_text(encoding="utf-8").replace("subjects.count|", "subject.count|")
        rule.write_text(text.replace("[outfall.actor.id]", "[outfall.actor]"), encoding="utf-8")
        result = CliRunner().invoke(app, ["rules", "test", str(path)])
        assert result.exit_code == exits.FINDINGS
        place, second = result.stderr.splitlines()[:2]
        assert place.startswith(f"{rule}:1:")
        assert place.endswith("the field outfall.subject.count; outfall.subjects.count is meant?")
        assert "many_people_mailed: nothing sets the field outfall.actor" in second

    def test_a_field_may_have_an_alias(self, book: Path) -> None:
        path = write_test(book, self.CASES.partition("  - name: five")[0])
        rule = path.with_name("many_people_mailed.yml")
        aliased = "[outfall.who]\n  aliases: {outfall.who: {mail_about_people: outfall.actor.id}}"
        text = rule.read_text(encoding="utf-8").replace("[outfall.actor.id]", aliased)
        rule.write_text(text, encoding="utf-8")
        result = CliRunner().invoke(app, ["rules", "test", str(path)])
        assert (result.exit_code, result.stderr) == (exits.DONE, "")

    @pytest.mark.parametrize("given", ["nowhere", "mail/many_people_mailed.yml"])
    def test_wrong_use(self, book: Path, given: str) -> None:
        result = CliRunner().invoke(app, ["rules", "test", str(book / given)])
        assert result.exit_code == exits.USAGE
        assert "there is no" in result.stderr
