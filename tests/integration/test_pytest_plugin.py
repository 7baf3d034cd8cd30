"""`pytest rules/` runs the tests beside rules, each case as a test of its own."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

RULES = Path(__file__).resolve().parents[2] / "rules"


@pytest.fixture
def book(tmp_path: Path) -> Path:
    folder = tmp_path / "rules"
    (folder / "share").mkdir(parents=True)
    for file in (RULES / "share").glob("open_link_to_personal_data.*"):
        shutil.copy(file, folder / "share")
    shutil.copytree(RULES / "test_council", folder / "test_council")
    shutil.copy(RULES / "severity.yml", folder)
    return folder


def run(folder: Path) -> tuple[int, str]:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-v", folder]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stdout


def test_each_case_is_a_test(book: Path) -> None:
    status, printed = run(book)
    assert status == 0, printed
    cases = sum(file.read_text(encoding="utf-8").count("  - name: ") for file in book.rglob("*.test.yml"))
    assert f"{cases} passed" in printed
    assert "share/open_link_to_personal_data.test.yml::a link to a document about nobody PASSED" in printed


def test_what_differs_is_told_with_its_place(book: Path) -> None:
    test = book / "share" / "open_link_to_personal_data.test.yml"
    text = test.read_text(encoding="utf-8")
    test.write_text(text.replace("people: 11,", "people: 12,"), encoding="utf-8")
    status, printed = run(book)
    assert status == 1
    assert f"{test.name}:12: open_link_to_personal_data: expected people 12, saw 11" in printed
    assert "Traceback" not in printed
    assert "1 failed" in printed


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("share/broken.test.yml", "cases: 5\n", "broken.test.yml:1: cases: a list is needed"),
        ("share/broken.yml", "title: B\nlogsource: {product: x}\ndetection: {condition: no}\n", "broken.yml"),
    ],
)
def test_what_cannot_be_read_is_an_error(book: Path, name: str, text: str, said: str) -> None:
    (book / name).write_text(text, encoding="utf-8")
    status, printed = run(book)
    assert status == 2
    assert said in printed
