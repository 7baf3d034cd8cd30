"""What `outfall rules docs` does, apart from its options: imported only when it runs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import orjson

from streams.cli import exits
from streams.cli.complaints import say_problems, say_refused, standard_error
from streams.correlate.severity import load as load_severity
from streams.detect.load import load
from streams.errors import ConfigError
from streams.rulebook.pages import pages, write
from streams.runtime.cache import user_cache


def run(paths: Sequence[Path], out: Path) -> int:
    """Write the pages, say how many, and give the exit status."""
    errors = standard_error()
    try:
        book = load(paths, user_cache())
        found = pages(book, load_severity(None, paths))
        write(found, out)
    except ConfigError as error:
        say_problems(errors, error)
        return exits.USAGE
    say_refused(errors, book.refused)
    if sys.stdout.isatty():
        sys.stdout.write(f"{len(found)} pages in {out}; begin with {out / 'README.md'}\n")
    else:
        sys.stdout.buffer.writelines(orjson.dumps({"page": str(out / name)}) + b"\n" for name in found)
    return exits.FINDINGS if book.refused else exits.DONE
