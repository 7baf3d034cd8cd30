"""Loads rule files into a rule book: every rule compiles exactly, or is refused with its place."""

from __future__ import annotations

import contextlib
import gc
import hashlib
import os
import pickle
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import orjson

from streams.detect.book import Detection, RuleBook
from streams.detect.cache import Cache, key_of
from streams.errors import ConfigError, Place, Refusal
from streams.rule import LIST

if TYPE_CHECKING:  # loading pySigma takes longer than a cached book
    from streams.detect.assemble import Assembly
    from streams.detect.document import Document

__all__ = ["Detection", "RuleBook", "load", "loads"]

_SUFFIXES = (".yml", ".yaml")
TEST_SUFFIXES = (".test.yml", ".test.yaml")
_OURS = ("title", "detection", "correlation", "filter", LIST)


class _File(NamedTuple):
    """A file as it was read; `named` if it was named itself, not found in a folder."""

    path: Path
    named: bool
    data: bytes
    error: str = ""


def load(paths: Sequence[Path], cache: Cache | None = None) -> RuleBook:
    """Load rule files and folders, these with everything below them.

    In folders `*.yml` and `*.yaml` count; hidden files, tests of rules (`*.test.yml`) and files of which no
    document has a `title`, `detection`, `correlation`, `filter` or `list` are passed over. A book
    whose files have not changed comes from the cache.

    Raises:
        ConfigError: a path does not exist.
    """
    if missing := [path for path in paths if not path.exists()]:
        raise ConfigError([f"{path}: there is no such file or folder" for path in missing])
    with _without_garbage_collection():
        files = [_read(path, named=named) for path, named in _files(paths)]
        if cache is None:
            return _assembled(files)
        parts = (part for file in files for part in (str(file.path), str(file.named), file.data, file.error))
        key = key_of("book", *parts)
        kept = cache.get(key)
        if kept is not None:
            # The cache is a folder that only its user may write to, and holds what this program put there.
            book: RuleBook = pickle.loads(kept)  # noqa: S301 - see the comment above
            return book
        book = _assembled(files)
        cache.put(key, pickle.dumps(book, pickle.HIGHEST_PROTOCOL))
        return book


def loads(text: str, path: str = "<text>") -> RuleBook:
    """Load rules from the text of one file."""
    return _assembled([_File(Path(path), named=True, data=text.encode("utf-8", "surrogatepass"))])


@contextlib.contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """Make thousands of rules at once without looking again and again whether they are garbage."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _assembled(files: Iterable[_File]) -> RuleBook:
    from streams.detect.assemble import Assembly  # noqa: PLC0415 - see the import for type checking

    assembly = Assembly()
    digests: list[bytes] = []
    rules: list[tuple[Document, str]] = []
    for file in files:
        if file.error:
            assembly.refused.append(Refusal(Place(str(file.path)), f"cannot be read: {file.error}"))
        else:
            documents, digest = _read_in(assembly, file)
            digests += digest
            rules += [(document, file.path.stem) for document in documents]
    for document, stem in rules:  # once all lists are there
        assembly.add(document, stem)
    return assembly.finish(_digest(digests))


def _read(path: Path, *, named: bool) -> _File:
    try:
        return _File(path, named, path.read_bytes())
    except OSError as error:
        return _File(path, named, b"", error.strerror or "error")


def _files(paths: Sequence[Path]) -> Iterator[tuple[Path, bool]]:
    """Give each file once, those of a folder in the order of their names, and whether it was named itself."""
    seen: set[Path] = set()
    for path in paths:
        named = not path.is_dir()
        for file in [path] if named else _below(path):
            if file.name.endswith(TEST_SUFFIXES) or (resolved := file.resolve()) in seen:
                continue
            seen.add(resolved)
            yield file, named


def _below(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if name.endswith(_SUFFIXES) and not name.startswith("."):
                yield Path(parent, name)


def _read_in(assembly: Assembly, file: _File) -> tuple[list[Document], list[bytes]]:
    """Add a file's lists to the book; give its rules, and the digests of what it says."""
    from streams.detect.document import RefusedError, decode, read  # noqa: PLC0415 - as above

    path = str(file.path)
    try:
        documents, refused = read(decode(file.data, path), path)
    except RefusedError as error:
        documents, refused = [], [error.refusal]
    if not refused and not any(key in document.content for document in documents for key in _OURS):
        if file.named:
            assembly.refused.append(Refusal(Place(path), "there is no Sigma rule in this file"))
        return [], []
    assembly.refused += refused
    rules: list[Document] = []
    for document in documents:
        if any("action" in one.content for one in documents):
            reason = "its file has `action` documents, which are of Sigma 1 and change what others mean"
            assembly.refused.append(document.refuse(reason, "action").refusal)
        elif LIST in document.content:
            assembly.add_list(document)
        else:
            rules.append(document)
    content = [hashlib.sha256(file.data).digest()] if refused else [_content_digest(one) for one in documents]
    return rules, content


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
