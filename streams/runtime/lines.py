"""Reads lines of a stream with bounded memory, however long a line is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple


class Line(NamedTuple):
    """One line without its end: where it begins, its number from 0, and whether it was cut at the bound."""

    data: bytes
    offset: int
    number: int
    truncated: bool


def read_lines(stream: BinaryIO, max_bytes: int) -> Iterator[Line]:
    r"""Give the lines of a stream, without `\n` or `\r\n`; a longer one keeps `max_bytes` + 1 bytes.

    So a line that is too long is still given, once, and can be seen to be too long.
    """
    offset = number = 0
    while True:
        data = stream.readline(max_bytes + 2)
        if not data:
            return
        length = len(data)
        truncated = False
        while not data.endswith(b"\n"):
            rest = stream.readline(1 << 16)
            if not rest:
                break
            truncated = truncated or bool(rest.rstrip(b"\r\n"))
            length += len(rest)
            if rest.endswith(b"\n"):
                break
        text = data.removesuffix(b"\n")
        if not truncated:
            text = text.removesuffix(b"\r")
        text = text[: max_bytes + 1]
        yield Line(text, offset, number, truncated or len(text) > max_bytes)
        offset += length
        number += 1
