"""Reads `directory.csv` and `caseload.csv`. Problems name the place, never what stands there."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from streams.enrich.directory import Person, spellings
from streams.enrich.problems import read_text
from streams.enrich.read_ldif import read_ldif

COLUMNS = (
    "id",
    "accounts",
    "emails",
    "team",
    "role",
    "service_account",
    "notice_date",
    "leaver_date",
    "private_addresses",
    "caseload_exempt",
)
_BOOLEANS = {"": False, "false": False, "true": True}


def read_directory(folder: Path, problems: list[str]) -> list[Person]:
    """Read whoever is listed, in CSV, LDIF or both; a spelling may belong to one person only."""
    taken: dict[str, tuple[str, str]] = {}
    people: list[Person] = []
    found = (
        *_csv_people(folder / "directory.csv", problems),
        *read_ldif(folder / "directory.ldif", problems),
    )
    for place, person in found:
        for spelling in dict.fromkeys(spellings(person)):
            former, owner = taken.setdefault(spelling, (place, person.id))
            if former != place:
                whose = (
                    "the id of two entries" if owner == person.id else "an account or address of two people"
                )
                problems.append(f"{place}: {whose}, see {former}")
                break
        else:
            people.append(person)
    return people


def read_caseload(path: Path, problems: list[str]) -> Iterator[tuple[str, str]]:
    """Give pairs of an actor, in any spelling, and the raw id of a person in their caseload."""
    for place, row in _rows(path, ("actor", "subject"), ("actor", "subject"), problems):
        if row["actor"] and row["subject"]:
            yield row["actor"], row["subject"]
        else:
            problems.append(f"{place}: actor and subject are both needed")


def _csv_people(path: Path, problems: list[str]) -> Iterator[tuple[str, Person]]:
    for place, row in _rows(path, COLUMNS, ("id",), problems):
        if not row["id"]:
            problems.append(f"{place}: id is empty")
            continue
        yield (
            place,
            Person(
                id=row["id"],
                accounts=_lower(row["accounts"]),
                emails=_lower(row["emails"]),
                team=row["team"] or None,
                role=row["role"] or None,
                service_account=_boolean(row["service_account"], f"{place}: service_account", problems),
                notice_date=_date(row["notice_date"], f"{place}: notice_date", problems),
                leaver_date=_date(row["leaver_date"], f"{place}: leaver_date", problems),
                private_addresses=frozenset(_lower(row["private_addresses"])),
                caseload_exempt=_boolean(row["caseload_exempt"], f"{place}: caseload_exempt", problems),
            ),
        )


def _rows(
    path: Path, columns: Iterable[str], needed: Iterable[str], problems: list[str]
) -> Iterator[tuple[str, dict[str, str]]]:
    """Give each row with its place; columns that the file does not have are empty."""
    if not path.exists() or (text := read_text(path, problems)) is None:
        return
    columns = tuple(columns)
    reader = csv.reader(text.splitlines(keepends=True), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        wrong = [name for name in header if name not in columns]
        missing = [name for name in needed if name not in header]
        problems += [f"{path}:1: no column is named {name}; they are {', '.join(columns)}" for name in wrong]
        problems += [f"{path}:1: the column {name} is missing" for name in missing]
        if len(set(header)) != len(header):
            problems.append(f"{path}:1: a column stands twice")
        if wrong or missing:
            return
        for cells in reader:
            place = f"{path}:{reader.line_num}"
            if len(cells) > len(header):
                problems.append(f"{place}: more cells than columns")
            elif any(cell.strip() for cell in cells):
                row = dict.fromkeys(columns, "")
                row.update((name, cell.strip()) for name, cell in zip(header, cells, strict=False))
                yield place, row
    except csv.Error as error:
        problems.append(f"{path}:{reader.line_num}: not valid CSV: {error}")


def _lower(cell: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.strip().lower() for part in cell.split(";") if part.strip()))


def _boolean(cell: str, where: str, problems: list[str]) -> bool:
    if cell.lower() not in _BOOLEANS:
        problems.append(f"{where} is true, false or empty")
    return _BOOLEANS.get(cell.lower(), False)


def _date(cell: str, where: str, problems: list[str]) -> dt.date | None:
    return _parsed(cell, dt.date.fromisoformat, f"{where} is a date such as 2026-03-31, or empty", problems)


def _parsed(cell: str, parse: Callable[[str], dt.date], problem: str, problems: list[str]) -> dt.date | None:
    try:
        return parse(cell) if cell else None
    except ValueError:
        problems.append(problem)
        return None
