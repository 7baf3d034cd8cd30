"""Cleaning addresses: of machines (IP with port or brackets) and of people (accounts, mail)."""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache

from streams.memo import ENTRIES, remembered

_SEPARATORS = re.compile(r"[\s,;<>\[\]()\"|{}\\]+")
_MAX_ADDRESS = 64
"""Longest text that is tried as an IP address with zone and port."""


def clean_ip(value: str | None) -> str | None:
    """Give the IP address in `1.2.3.4:443`, `[2001:db8::1]:443`, `::ffff:1.2.3.4`, `fe80::1%e0`, or None."""
    return None if value is None or len(value) > _MAX_ADDRESS else _cleaned(value)


@lru_cache(maxsize=ENTRIES)
def _cleaned(value: str) -> str | None:
    address = value.strip()
    if address.startswith("["):
        address = address[1:].partition("]")[0]
    elif address.count(":") == 1:
        address = address.partition(":")[0]
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return str(mapped or parsed)


def is_mail(value: str | None) -> bool:
    """Tell whether text has the shape of one mail address."""
    local, _, domain = (value or "").rpartition("@")
    return bool(local and domain) and not _SEPARATORS.search(value or "")


def mail_addresses(value: str | None) -> list[str]:
    """Give the mail addresses in text such as `"A" <a@x>; smtp:b@y`, without `smtp:`, each once, in order."""
    found: dict[str, None] = {}
    for token in _SEPARATORS.split(value or ""):
        address = token[5:] if token[:5].lower() == "smtp:" else token
        address = address[7:] if address[:7].lower() == "mailto:" else address
        address = _home_address(address.strip("'"))
        local, _, domain = address.rpartition("@")
        if local and domain:
            found[address] = None
    return list(found)


def _home_address(address: str) -> str:
    """Give a guest's own address: Entra's `ann_example.org#EXT#@tenant` is `ann@example.org`."""
    name, marker, _ = address.partition("#EXT#" if "#EXT#" in address else "#ext#")
    local, underscore, domain = name.rpartition("_")
    return f"{local}@{domain}" if marker and underscore and local and domain else address


Account = tuple[str | None, str | None, str | None]
_NOBODY: Account = None, None, None


def account(value: str | None) -> Account:
    r"""Split an account into (name, domain, mail): `DOM\name`, `name@domain` or a bare name."""
    return _NOBODY if not value or value == "-" else _parted(value)


@remembered
def _parted(value: str) -> Account:
    if is_mail(value):
        return value.rpartition("@")[0], None, value
    domain, slash, name = value.partition("\\")
    return (name, domain or None, None) if slash and name else (value, None, None)
