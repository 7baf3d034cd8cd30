"""Loads rule files into a rule book: every rule compiles exactly, or is refused with its place."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import orjson

from streams.detect.assemble import Assembly
from streams.detect.book import Detection, RuleBook
from streams.detect.document import Document, RefusedError, decode, read
from streams.errors import ConfigError, Place, Refusal

__all__ = ["Detection", "RuleBook", "load", "loads"]

_SUFFIXES = (".yml", ".yaml")
_TEST_SUFFIXES = (".test.yml", ".test.yaml")
_SIGMA = ("title", "detection", "correlation", "filter")


def load(paths: Sequence[Path]) -> RuleBook:
    """Load rule files and folders, these with everything below them.

    In folders `*.yml` and `*.yaml` count; hidden files, tests of rules (`*.test.yml`) and files of which no
    document has a `title`, `detection`, `correlation` or `filter` are no rules and are passed over.

    Raises:
        ConfigError: a path does not exist.
    """
    if missing := [path for path in paths if not path.exists()]:
        raise ConfigError([f"{path}: there is no such file or folder" for path in missing])
    assembly = Assembly()
    digests: list[bytes] = []
    for path, named in _files(paths):
        try:
            data = path.read_bytes()
        except OSError as error:
            assembly.refused.append(Refusal(Place(str(path)), f"cannot be read: {error.strerror}"))
            continue
        digests += _add(assembly, data, str(path), path.stem, must_be_sigma=named)
    return assembly.finish(_digest(digests))


def loads(text: str, path: str = "<text>") -> RuleBook:
    """Load rules from the text of one file."""
    assembly = Assembly()
    data = text.encode("utf-8", "surrogatepass")
    digests = _add(assembly, data, path, Path(path).stem, must_be_sigma=True)
    return assembly.finish(_digest(digests))


def _files(paths: Sequence[Path]) -> Iterator[tuple[Path, bool]]:
    """Give each file once, those of a folder in the order of their names, and whether it was named itself."""
    seen: set[Path] = set()
    for path in paths:
        named = not path.is_dir()
        for file in [path] if named else _below(path):
            if file.name.endswith(_TEST_SUFFIXES) or (resolved := file.resolve()) in seen:
                continue
            seen.add(resolved)
            yield file, named


def _below(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if name.endswith(_SUFFIXES) and not name.startswith("."):
                yield Path(parent, name)


def _add(assembly: Assembly, data: bytes, path: str, stem: str, *, must_be_sigma: bool) -> list[bytes]:
    """Add a file's documents to the book; gives the digests of what it says."""
    try:
        documents, refused = read(decode(data, path), path)
    except RefusedError as error:
        documents, refused = [], [error.refusal]
    if not refused and not any(key in document.content for document in documents for key in _SIGMA):
        if must_be_sigma:
            assembly.refused.append(Refusal(Place(path), "there is no Sigma rule in this file"))
        return []
    assembly.refused += refused
    for document in documents:
        if any("action" in one.content for one in documents):
            reason = "its file has `action` documents, which are of Sigma 1 and change what others mean"
            assembly.refused.append(document.refuse(reason, "action").refusal)
        else:
            assembly.add(document, stem)
    return [hashlib.sha256(data).digest()] if refused else [_content_digest(one) for one in documents]


def _content_digest(document: Document) -> bytes:
    """Hash what a document says, whatever its layout and comments."""
    options = orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS
    try:
        canonical = orjson.dumps(document.content, default=repr, option=options)
    except TypeError:  # an integer beyond 64 bits
        canonical = repr(sorted(document.content.items())).encode()
    return hashlib.sha256(canonical).digest()


def _digest(digests: Iterable[bytes]) -> str:
    """Hash a set of documents, in whichever files and order they stand."""
    return hashlib.sha256(b"".join(sorted(digests))).hexdigest()
