"""Rule files: what is read, what is passed over, and what is refused with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.detect.load import load, loads
from streams.errors import ConfigError, Place
from streams.event import LogSource
from streams.rule import Extras

RULE = """\
title: A rule
id: {id}
logsource:
    product: test
detection:
    sel:
        a: {value}
    condition: sel
"""


def rule(name: str, value: object = 1) -> str:
    return RULE.format(id=name, value=value)


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_yml", ".yml").replace("_test", ".test")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def test_a_rules_metadata() -> None:
    text = """
title: Care records sent out
id: 5638f7c0-ac70-491d-8465-2a65075e0d86
name: care_records_out
status: test
description: Says what it says.
references: [https://example.org/a]
author: somebody
date: 2026-01-31
tags: [attack.exfiltration, attack.t1048]
level: high
falsepositives: [Payroll]
logsource: {category: egress, product: outfall, definition: everything}
detection:
    sel: {outfall.egress: true}
    condition: sel
outfall:
    group_by: [outfall.actor.id, outfall.channel]
    quiet: 2h
    page: false
    runbook: [Look, Ask]
"""
    found = loads(text, "rules/out.yml")
    assert not found.refused
    (rule,) = found.rules
    assert rule.id == "5638f7c0-ac70-491d-8465-2a65075e0d86"
    assert (rule.name, rule.label) == ("care_records_out", "care_records_out")
    assert rule.place == Place("rules/out.yml", 2, 1)
    assert rule.tags == ("attack.exfiltration", "attack.t1048")
    assert (rule.level, rule.description) == ("high", "Says what it says.")
    assert (rule.references, rule.falsepositives) == (("https://example.org/a",), ("Payroll",))
    assert rule.logsource == LogSource("egress", "outfall", None)
    assert rule.extras == Extras(
        group_by=["outfall.actor.id", "outfall.channel"], quiet="2h", page=False, runbook=["Look", "Ask"]
    )
    assert rule.alerts


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("id: my-own", "my-own"),
        ("name: own_name", "own_name"),
        ("id: x\nname: own_name", "x"),
        ("", "file:0"),
    ],
)
def test_a_rules_id(head: str, expected: str) -> None:
    text = rule("gone").replace("id: gone\n", head + "\n" if head else "")
    assert [one.id for one in loads(text, "folder/file.yml").rules] == [expected]


def test_folders_are_read_in_the_order_of_names_and_files_once(tmp_path: Path) -> None:
    write(
        tmp_path,
        b_yml=rule("b") + "---\n" + rule("b2") + "---\n",
        a__z_yml=rule("z"),
        a__severity_yml="tiers: [1, 10]\n",
        a__z_test_yml="rule: z\ntitle: not a rule\n",
        _git__hidden_yml=rule("hidden"),
    )
    (tmp_path / "_git").rename(tmp_path / ".git")
    (tmp_path / "readme.md").write_text("title: none")
    found = load([tmp_path, tmp_path / "b.yml"])
    assert [one.id for one in found.rules] == ["b", "b2", "z"]
    assert not found.refused


def test_a_path_that_is_not_there_is_wrong_use(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.yml"):
        load([tmp_path / "none.yml", tmp_path])


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "tiers: [1]\n"])
def test_a_named_file_without_rules_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "some.yml"
    file.write_text(text)
    assert ["no Sigma rule" in str(one) for one in load([file]).refused] == [True]
    assert not load([tmp_path]).refused


# what stands after a good rule, what the reason says, line (counted in that text) and column
HAZARDS = [
    ("title: ]", "not YAML", 1, 8),
    ("title: x\n\tid: y", "not YAML", 2, None),
    ("- a\n- b", "mapping", 1, 1),
    ("just text", "mapping", 1, 1),
    ("title: x\nid: a\ntitle: y", "stood before, at rule.yml:10:1", 3, 1),
    ("title: x\ndetection:\n    sel: {a: 1, b: 2, a: 3}", "the key `a`", 3, 23),
    ("title: x\ndetection:\n    sel: {4688: 1}", "must be text", 3, 11),
    ("title: x\ndetection:\n    sel: {yes: 1}", "must be text", 3, 11),
    ("title: x\na: &a {b: 1}\nc:\n    <<: *a", "merge", 4, 5),
    ("title: x\ndate: 2024-13-45", "cannot be read", 1, 1),
    ("title: x\na: !!python/name:os.system x", "not YAML", 2, 4),
    ("title: x\na: &a [*a]", "ecursive", 1, 1),
    ("title: x\na: \x01", "U+0001", 2, 4),
    ("title: x", "no `detection`", 1, 1),
    ("title: x\nsigma-version: 3", "`sigma-version: 3`, and this is Sigma 2.1", 2, 1),
    ("title: x\nsigma-version: 2.2", "`sigma-version: 2.2`, and this is Sigma 2.1", 2, 1),
    ("title: x\ntaxonomy: private", "taxonomy `private`", 2, 1),
    ("id: 5\n" + rule("x").replace("id: x\n", ""), "id must be text", 1, 1),
    (rule("x").replace("title: A rule\n", ""), "title", 1, 1),
    (rule("x").replace("title: A rule", "title: " + "x" * 300), "256", 1, 1),
    (rule("x") + "level: enormous", "enormous", 9, 1),
    (rule("x") + "date: yesterday", "yyyy-mm-dd", 9, 1),
    (rule("x") + "tags: [no namespace]", "tag", 9, 1),
    (rule("x").replace("    product: test", "    other: test"), "empty", 3, 1),
    (rule("x").replace("    product: test", "    product: 5"), "product must be text", 4, 5),
    (rule("x").replace("logsource:\n    product: test\n", ""), "logsource", 1, 1),
    (rule("x") + "outfall: {paging: 1}", "outfall.paging", 9, 11),
    (rule("x") + "outfall:\n    page: perhaps", "outfall.page", 10, 5),
    (rule("x") + "correlation: {}", "not both", 5, 1),
    (rule("x", "{b: 1}"), "not a map", 7, 9),
    ("title: x\nlogsource: {product: y}\ndetection: [a]", "map of search identifiers", 3, 1),
    ("title: x\ncorrelation: []", "must be a map", 2, 1),
    ("title: x\nlogsource: {product: y}\nfilter: []", "must be a map", 3, 1),
]


@pytest.mark.parametrize(("text", "reason", "line", "column"), HAZARDS)
def test_a_hazard_is_refused_with_its_place_and_the_others_run(
    text: str, reason: str, line: int, column: int | None
) -> None:
    before = rule("good") + "---\n"
    found = loads(before + text, "rule.yml")
    assert [one.id for one in found.rules] in (["good"], [])
    assert found.rules or "U+0001" in reason  # what YAML forbids spoils the whole file
    (refused,) = found.refused
    assert reason in refused.reason
    assert refused.place.path == "rule.yml"
    assert refused.place.line == before.count("\n") + line
    assert column is None or refused.place.column == column


def test_a_file_with_actions_of_sigma_1_is_refused_whole() -> None:
    found = loads(f"action: global\ntitle: x\n---\n{rule('a')}", "rule.yml")
    assert not found.rules
    assert [str(one.place) for one in found.refused] == ["rule.yml:1:1", "rule.yml:4:1"]
    assert all("Sigma 1" in one.reason for one in found.refused)


def test_deep_nesting_is_refused() -> None:
    text = "title: x\na: " + "[" * 100_000
    (refused,) = loads(text).refused
    assert "nested deeper" in refused.reason
    assert refused.place.line == 2


def test_an_alias_bomb_is_refused() -> None:
    lines = ["title: x", "a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    (refused,) = loads("\n".join(lines)).refused
    assert "aliases" in refused.reason


def test_an_ordinary_alias_is_fine() -> None:
    text = rule("x", "&v [1, 2]").replace(
        "    condition: sel", "    other: {b: *v}\n    condition: sel or other"
    )
    assert len(loads(text).rules) == 1


@pytest.mark.parametrize(
    ("data", "reason", "place"),
    [
        (b"title: x\nid: \xff", "not UTF-8", "2:5"),
        (b"title: x\n# \xc3\xa4 \xe2\x82", "not UTF-8", "2:5"),
        (b"title: x\n" + b"#" * (5 << 20), "larger", None),
        (b"title: x\nid: \0", "U+0000", "2:5"),
        ("title: x".encode("utf-16"), "not UTF-8", "1:1"),
    ],
)
def test_a_files_bytes_may_be_bad(tmp_path: Path, data: bytes, reason: str, place: str | None) -> None:
    file = tmp_path / "bad.yml"
    file.write_bytes(data)
    write(tmp_path, good_yml=rule("good"))
    found = load([tmp_path])
    assert [one.id for one in found.rules] == ["good"]
    (refused,) = found.refused
    assert reason in refused.reason
    assert str(refused.place) == (f"{file}:{place}" if place else str(file))


def test_a_byte_order_mark_is_fine(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_bytes(b"\xef\xbb\xbf" + rule("a").encode())
    assert len(load([tmp_path]).rules) == 1


def test_the_second_rule_with_an_id_is_refused(tmp_path: Path) -> None:
    uuid = "5638f7c0-ac70-491d-8465-2a65075e0d86"
    write(tmp_path, a_yml=rule(uuid), b_yml=rule(uuid.upper(), 2))
    found = load([tmp_path])
    assert [one.place.path for one in found.rules] == [str(tmp_path / "a.yml")]
    (refused,) = found.refused
    assert str(refused.place) == f"{tmp_path / 'b.yml'}:2:1"
    assert f"{tmp_path / 'a.yml'}:1:1" in refused.reason


def test_names_are_told_apart_too() -> None:
    one, two = (rule(name) + "name: same\n" for name in ("a", "b"))
    found = loads(f"{one}---\n{two}---\n{rule('same')}", "rule.yml")
    assert [rule.id for rule in found.rules] == ["a"]
    assert [str(refused.place) for refused in found.refused] == ["rule.yml:19:1", "rule.yml:22:1"]


def test_a_refused_rule_keeps_its_id() -> None:
    found = loads(f"{rule('a', '{b: 1}')}---\n{rule('a')}", "rule.yml")
    assert not found.rules
    assert ["belongs to" in one.reason for one in found.refused] == [False, True]


def test_unnamed_rules_of_one_name_are_told_apart() -> None:
    unnamed = rule("gone").replace("id: gone\n", "")
    assert [one.id for one in loads(f"{unnamed}---\n{unnamed}", "f.yml").rules] == ["f:0", "f:1"]


def test_the_hash_is_of_what_the_rules_say(tmp_path: Path) -> None:
    one, other, bad = tmp_path / "one", tmp_path / "other", tmp_path / "bad"
    write(one, a_yml=rule("a"), b_yml=rule("b"))
    write(other, x__y_yml="# a comment\n" + rule("b") + "---\n" + rule("a").replace("    ", "  "))
    write(bad, a_yml=rule("a"), b_yml=rule("b", 2))
    assert load([one]).hash == load([other]).hash
    assert load([one]).hash != load([bad]).hash
    assert len(load([one]).hash) == 64
    assert loads(rule("a", 10**30)).hash != loads(rule("a", 10**30 + 1)).hash
