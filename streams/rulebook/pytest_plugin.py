"""Makes pytest run the tests beside rules: `pytest rules/` finds every `*.test.yml`, and each case is a test.

pytest loads it by itself where outfall is installed (https://docs.pytest.org/en/stable/how-to/writing_plugins.html).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from streams.rulebook.case import SUFFIX

if TYPE_CHECKING:
    from streams.rulebook.case import Case
    from streams.rulebook.runner import Runner


class RuleTestError(Exception):
    """A case did not go as expected; its text says in which way, a line for each."""


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.File | None:
    """Take the tests of rules, and leave everything else to others."""
    if not file_path.name.endswith(SUFFIX):
        return None
    return RuleTestFile.from_parent(parent, path=file_path)


class RuleTestFile(pytest.File):
    """A file of tests, each run within the whole rule book that it is in."""

    def collect(self) -> Iterator[pytest.Item]:
        """Give the cases."""
        from streams.errors import ConfigError  # noqa: PLC0415 - others' tests need not wait for it
        from streams.rulebook import runner  # noqa: PLC0415 - see above

        try:
            root, _ = runner.find(self.path)
            cases = runner.read_all([self.path])
        except ConfigError as error:
            raise self.CollectError(str(error)) from None
        books: dict[Path, Runner] = self.config.stash.setdefault(_BOOKS, {})
        if root not in books:
            books[root] = runner.open_book(root)
        if books[root].book.refused:
            raise self.CollectError("\n".join(map(str, books[root].book.refused)))
        for case in cases:
            yield RuleTest.from_parent(self, name=case.name, case=case, opened=books[root])


class RuleTest(pytest.Item):
    """One case."""

    def __init__(self, *, case: Case, opened: Runner, **named: Any) -> None:
        super().__init__(**named)
        self._case = case
        self._opened = opened

    def runtest(self) -> None:
        """Run it; the alerts must be exactly those that are expected."""
        problems = self._opened.run(self._case).problems
        if problems:
            raise RuleTestError("\n".join(problems))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> str | Any:
        """Say what differs, without our own calls above it."""
        if isinstance(excinfo.value, RuleTestError):
            return f"{self._case.place}: {excinfo.value}"
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Say where it stands; pytest counts lines from 0."""
        return self.path, self._case.place.line - 1, f"{self._case.rule}: {self.name}"


_BOOKS = pytest.StashKey[dict[Path, Any]]()
