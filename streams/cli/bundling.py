"""What `outfall rules bundle` and `outfall rules verify` do, apart from their options."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import orjson
from rich.console import Console

from streams.cli import exits
from streams.cli.complaints import say_problems, say_refused, standard_error
from streams.detect.load import load
from streams.errors import ConfigError
from streams.runtime.bundle import SUFFIX, Bundle, is_bundle, pack, public_key, signing_key, unpack
from streams.runtime.cache import user_cache
from streams.runtime.edition import edition
from streams.runtime.publication import rule_files


def make(paths: Sequence[Path], out: Path, key: Path | None) -> int:
    """Make a bundle, print what it is, and give the exit status."""
    errors = standard_error()
    if not is_bundle(out):
        say_problems(errors, ConfigError([f"--out: {out}: a bundle's name ends {SUFFIX}"]))
        return exits.USAGE
    try:
        book = load(paths, user_cache())
        say_refused(errors, book.refused)
        if book.refused or not book.rules:
            errors.print("there is no bundle of rules that do not run", style="red")
            return exits.FINDINGS
        signer = None if key is None else signing_key(key)
        revision = edition(book, paths).revision
        data = pack(rule_files(paths), book.hash, revision, version("outfall"), signer)
        out.write_bytes(data)
    except ConfigError as error:
        say_problems(errors, error)
        return exits.USAGE
    except OSError as error:
        say_problems(errors, ConfigError([f"{error.filename}: {error.strerror}"]))
        return exits.USAGE
    _tell(unpack(data, str(out), None), len(book.rules))
    return exits.DONE


def look(path: Path, key: Path | None) -> int:
    """Verify a bundle, print what it is, and give the exit status."""
    errors = standard_error()
    try:
        wanted = None if key is None else public_key(key)
        data = path.read_bytes()
    except ConfigError as error:
        say_problems(errors, error)
        return exits.USAGE
    except OSError as error:
        say_problems(errors, ConfigError([f"{path}: {error.strerror}"]))
        return exits.USAGE
    try:
        bundle = unpack(data, str(path), wanted)
    except ConfigError as error:
        say_problems(errors, error)
        return exits.FINDINGS
    _tell(bundle, None, verified=key is not None)
    return exits.DONE


def _tell(bundle: Bundle, rules: int | None, *, verified: bool = False) -> None:
    told = {
        "bundle": bundle.id,
        "rule_book": bundle.rule_book,
        "revision": bundle.revision,
        "outfall": bundle.made_by,
        "files": len(bundle.files),
        "signed": bundle.signed,
    }
    if rules is not None:
        told["rules"] = rules
    if verified:
        told["verified"] = True
    if not sys.stdout.isatty():
        sys.stdout.buffer.write(orjson.dumps(told) + b"\n")
        return
    console = Console(emoji=False, highlight=False)
    signed = "signed, and by this key" if verified else "signed" if bundle.signed else "not signed"
    console.print(f"bundle {bundle.id[:16]}: {len(bundle.files)} files, {signed}")
    console.print(f"rule book {bundle.rule_book[:16]}, commit {bundle.revision or 'unknown'}", style="dim")
