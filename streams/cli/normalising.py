"""What `outfall normalise` does, apart from its options: imported only when it runs."""

from __future__ import annotations

import hashlib
import os
import sys
import time
import zoneinfo
from contextlib import nullcontext
from pathlib import Path
from typing import BinaryIO

import orjson
from rich.console import Console

from streams.cli import exits
from streams.cli.complaints import standard_error
from streams.errors import Ignored, RecordError
from streams.event import Origin, RawRecord
from streams.normalise import FORMATS, normalise
from streams.normalise.base import MAX_BYTES, Context, Format
from streams.normalise.rim import document
from streams.runtime.lines import read_lines


def run(file: str, format_name: str, zone_name: str) -> int:
    """Normalise, print, and give the exit status."""
    console = standard_error()
    if format_name not in FORMATS:
        console.print(f"--format: no format {format_name!r}; there are {', '.join(FORMATS)}", markup=False)
        return exits.USAGE
    try:
        zone = zoneinfo.ZoneInfo(zone_name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        console.print(f"--zone: no time zone {zone_name!r}", markup=False)
        return exits.USAGE
    context = Context(received=time.time_ns(), zone=zone)
    try:
        with nullcontext(sys.stdin.buffer) if file == "-" else Path(file).open("rb") as stream:
            name = "stdin" if file == "-" else Path(file).stem
            rejected = _print_events(stream, name, FORMATS[format_name], context, console)
            sys.stdout.buffer.flush()
    except BrokenPipeError:
        # Who reads has read enough; closing must not complain either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exits.DONE
    except OSError as error:
        console.print(f"{file}: {error.strerror}", markup=False)
        return exits.USAGE
    return exits.REJECTED if rejected else exits.DONE


def _print_events(stream: BinaryIO, name: str, chosen: Format, context: Context, console: Console) -> int:
    """Print a line for each line; give how many were rejected."""
    rejected = 0
    fingerprint = ""
    for line in read_lines(stream, MAX_BYTES):
        if not fingerprint and line.data.strip() and not line.data.startswith(b"#"):
            fingerprint = hashlib.sha256(line.data).hexdigest()[:16]
        origin = Origin(name, fingerprint, line.offset, line.number)
        printed = b"null"
        try:
            event = normalise(RawRecord(line.data, origin, context.received), chosen, context)
            printed = orjson.dumps(document(event))
        except Ignored as reason:
            console.print(f"line {line.number}: ignored: {reason}", markup=False)
        except RecordError as reason:
            rejected += 1
            console.print(f"line {line.number}: {reason}", markup=False)
        sys.stdout.buffer.write(printed + b"\n")
    return rejected
