"""Reads `directory.ldif`, an export of Active Directory or OpenLDAP: RFC 2849, content records only.

Folded lines, comments and base64 values are understood; values by URL (`:<`) and change records are refused.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path

from streams.enrich.directory import Person
from streams.enrich.problems import read_text

_LINE = re.compile(
    r"([A-Za-z][A-Za-z0-9-]*|[0-9]+(?:\.[0-9]+)*)((?:;[A-Za-z0-9-]+)*)(::|:<|:) *(.*)", re.DOTALL
)
_PEOPLE = frozenset({"person", "user", "inetorgperson", "posixaccount"})
_SERVICES = frozenset({"msds-managedserviceaccount", "msds-groupmanagedserviceaccount"})
_NEVER_EXPIRES = frozenset({0, 2**63 - 1})
_TICKS_A_DAY = 24 * 3600 * 10_000_000
_WINDOWS_EPOCH = dt.date(1601, 1, 1)

_Attributes = dict[str, list[str]]


def read_ldif(path: Path, problems: list[str]) -> Iterator[tuple[str, Person]]:
    """Give each person with the place of the entry; groups, units and computers are passed over."""
    if not path.exists() or (text := read_text(path, problems)) is None:
        return
    for place, entry in _entries(text, str(path), problems):
        classes = {value.lower() for value in entry.get("objectclass", [])}
        account = _first(entry, "samaccountname") or _first(entry, "uid")
        if "computer" in classes and not classes & _SERVICES:
            continue
        if account is None or not classes & (_PEOPLE | _SERVICES):
            continue
        yield place, _person(account.lower(), entry, place, problems, service=bool(classes & _SERVICES))


def _person(account: str, entry: _Attributes, place: str, problems: list[str], *, service: bool) -> Person:
    names = [value.lower() for value in entry.get("userprincipalname", [])]
    proxies = [value[5:] for value in entry.get("proxyaddresses", []) if value[:5].lower() == "smtp:"]
    emails = [value.lower() for value in (*entry.get("mail", []), *proxies, *names)]
    return Person(
        id=account,
        accounts=tuple(dict.fromkeys([account, *(value.lower() for value in entry.get("objectsid", []))])),
        emails=tuple(dict.fromkeys(emails)),
        team=_first(entry, "department") or _first(entry, "departmentnumber"),
        role=_first(entry, "title"),
        service_account=service,
        leaver_date=_expiry(_first(entry, "accountexpires"), place, problems),
        private_addresses=frozenset(value.lower() for value in entry.get("othermailbox", [])),
    )


def _entries(text: str, path: str, problems: list[str]) -> Iterator[tuple[str, _Attributes]]:
    entry: _Attributes = {}
    begins = 0
    for number, line in (*_unfolded(text), (0, "")):
        if not line:
            if "dn" in entry:
                yield f"{path}:{begins}", entry
            entry, begins = {}, 0
            continue
        found = _LINE.fullmatch(line)
        if found is None:
            problems.append(f"{path}:{number}: not an attribute, a colon and a value")
            continue
        name, sign, value = found[1].lower(), found[3], found[4]
        if sign == ":<":
            problems.append(f"{path}:{number}: values by URL are not read; export the value itself")
            continue
        if name == "changetype":
            problems.append(f"{path}:{number}: change records are not read; export the entries themselves")
            continue
        if sign == "::" and (value := _decoded(value) or "") == "":
            continue  # a value in bytes, such as a photograph or a certificate
        begins = number if name == "dn" else begins
        entry.setdefault(name, []).append(value.strip())


def _unfolded(text: str) -> Iterator[tuple[int, str]]:
    """Give lines with their numbers; a line that begins with a space goes on from the one before it."""
    begun: tuple[int, list[str]] | None = None
    comment = False
    for number, line in enumerate(text.split("\n"), start=1):
        content = line.removesuffix("\r")
        if content.startswith(" ") and (begun or comment):
            if begun:
                begun[1].append(content[1:])
            continue
        if begun:
            yield begun[0], "".join(begun[1])
        comment, begun = content.startswith("#"), None
        if not comment:
            begun = (number, [content])
    if begun:
        yield begun[0], "".join(begun[1])


def _decoded(value: str) -> str | None:
    try:
        return base64.b64decode(value, validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return None


def _expiry(value: str | None, place: str, problems: list[str]) -> dt.date | None:
    """Read Active Directory's `accountExpires`: units of 100 ns since 1601; 0 and the greatest mean never."""
    if value is None:
        return None
    try:
        ticks = int(value)
        return None if ticks in _NEVER_EXPIRES else _WINDOWS_EPOCH + dt.timedelta(days=ticks // _TICKS_A_DAY)
    except (ValueError, OverflowError):
        problems.append(f"{place}: accountExpires is no number of 100 ns intervals since 1601")
        return None


def _first(entry: _Attributes, name: str) -> str | None:
    return next((value for value in entry.get(name, []) if value), None)
