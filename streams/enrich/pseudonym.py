"""Pseudonyms of people and records: keyed, so that nobody without the key can tell whose they are.

A pseudonym is `<key id>:<first 32 hex digits of HMAC-SHA-256(key, kind, NUL, normalised id)>`. Half of the
digest is kept: 128 bits still make a collision among 60 million people negligible.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
import unicodedata
from dataclasses import dataclass, field

from stdnum.gb import nhs

from streams.enrich.national_insurance import is_national_insurance

KEY_BYTES = 32
NEW_KEY = '"k1:$(head -c 32 /dev/urandom | base64)"'
"""What a shell makes a key of."""

_LINE = re.compile(r"([A-Za-z0-9_.-]{1,32}):([A-Za-z0-9+/]+=*)")
_PSEUDONYM = re.compile(r"[A-Za-z0-9_.-]{1,32}:[0-9a-f]{32}")
_SEPARATORS = re.compile(r"[\s-]+")
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Key:
    """A secret and the name under which pseudonyms say which secret made them."""

    id: str
    secret: bytes = field(repr=False)


class Pseudonymiser:
    """Makes pseudonyms with one key."""

    def __init__(self, key: Key) -> None:
        self._key = key

    @property
    def key_id(self) -> str:
        """The id of the key, which every pseudonym begins with."""
        return self._key.id

    @property
    def key_check(self) -> str:
        """What tells two secrets under one id apart, and does not tell the secret."""
        return hmac.digest(self._key.secret, b"key check", "sha256").hex()[:16]

    def subject(self, raw: str) -> str:
        """Give the pseudonym of a person's id."""
        return self._of("subject", raw)

    def record(self, raw: str) -> str:
        """Give the pseudonym of a record's id."""
        return self._of("record", raw)

    def _of(self, kind: str, raw: str) -> str:
        content = f"{kind}\0{normalise_id(raw)}".encode("utf-8", "surrogatepass")
        digest = hmac.digest(self._key.secret, content, "sha256").hex()
        return f"{self._key.id}:{digest[:32]}"


def is_pseudonym(text: str) -> bool:
    """Tell whether text has the form of a pseudonym."""
    return _PSEUDONYM.fullmatch(text) is not None


def normalise_id(raw: str) -> str:
    """Write an id as it is compared: NFKC, lower case, no white space.

    Hyphens go too where only digits, or the form of an NHS or National Insurance number, remain without them.
    """
    text = _SPACE.sub("", unicodedata.normalize("NFKC", raw)).casefold()
    bare = _SEPARATORS.sub("", text)
    return bare if bare.isdecimal() or nhs.is_valid(bare) or is_national_insurance(bare) else text


def parse_keys(text: str, where: str, problems: list[str]) -> list[Key]:
    """Read keys, `key-id:base64` a line, the current one first; blank lines and `#` comments are skipped."""
    keys: dict[str, Key] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        content = line.strip()
        if not content or content.startswith("#"):
            continue
        found = _LINE.fullmatch(content)
        secret = _decoded(found[2]) if found else None
        if found is None or secret is None:
            problems.append(
                f"{where}:{number}: a line is key-id:base64 of {KEY_BYTES} random bytes;"
                f" make one with: echo {NEW_KEY}"
            )
        elif found[1] in keys:
            problems.append(f"{where}:{number}: the key id {found[1]} is used twice")
        else:
            keys[found[1]] = Key(found[1], secret)
    return list(keys.values())


def _decoded(text: str) -> bytes | None:
    try:
        secret = base64.b64decode(text, validate=True)
    except binascii.Error:
        return None
    return secret if len(secret) == KEY_BYTES else None
