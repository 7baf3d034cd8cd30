"""Alerts name the rule book that raised them: its hash, and the commit it came from."""

from __future__ import annotations

import subprocess
from pathlib import Path

from streams.detect.load import load
from streams.runtime.edition import edition

RULE = """
title: Anything
id: 1b0a27a5-8f3c-4a53-8f7c-6d0f3f4ad101
logsource: {category: test}
detection: {some: {a: b}, condition: some}
"""


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]
    run = subprocess.run(
        ["git", "-C", str(folder), *who, *arguments], capture_output=True, text=True, check=True
    )
    return run.stdout.strip()


def test_outside_git_there_is_only_the_hash(tmp_path: Path) -> None:
    (tmp_path / "rule.yml").write_text(RULE, encoding="utf-8")
    book = load([tmp_path])
    assert edition(book, [tmp_path]).version == book.hash
    assert edition(book, [tmp_path]).revision is None


def test_in_git_the_commit_is_named_and_so_is_a_change(tmp_path: Path) -> None:
    rule = tmp_path / "rule.yml"
    rule.write_text(RULE, encoding="utf-8")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message", "One rule")
    commit = git(tmp_path, "rev-parse", "HEAD")
    before = edition(load([rule]), [rule])
    assert before.revision == commit
    rule.write_text(RULE.replace("a: b", "a: c"), encoding="utf-8")
    after = edition(load([tmp_path]), [tmp_path])
    assert after.revision == f"{commit}-dirty"
    assert after.version != before.version
