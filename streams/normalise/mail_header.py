"""Headers of a mail: encoded words (RFC 2047) and the file names in MIME parameters (RFC 2183, 2231)."""

from __future__ import annotations

import re
from email.errors import HeaderParseError
from email.header import decode_header
from urllib.parse import unquote

_MAX_READ = 4096
"""How much of a header is read; a longer one is not decoded. Postfix logs 200 bytes of one."""
_NAME = re.compile(
    r'(?:file)?name(?P<extended>\*)?=(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<plain>[^\s;"]+))',
    re.IGNORECASE,
)


def decoded(text: str) -> str:
    """Give a header's text with its encoded words in the clear; what cannot be decoded stays as it is."""
    if "=?" not in text or len(text) > _MAX_READ:
        return text
    try:
        words = decode_header(text)
        parts = [
            word.decode(charset or "ascii", "replace") if isinstance(word, bytes) else word
            for word, charset in words
        ]
    except (HeaderParseError, LookupError, ValueError):
        return text
    return "".join(parts)


def attachment_name(value: str) -> str | None:
    """Give the file's name in a `Content-Disposition` or `Content-Type`, or None where there is none."""
    found = _NAME.search(value[:_MAX_READ])
    if not found:
        return None
    name = found["quoted"].replace('\\"', '"') if found["quoted"] is not None else found["plain"]
    if found["extended"]:
        charset, _, rest = name.partition("'")
        try:
            return unquote(rest.partition("'")[2], encoding=charset or "utf-8") or None
        except LookupError:
            return name
    return decoded(name) or None
