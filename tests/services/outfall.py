"""The command `outfall run` as a person would start it, over a folder with its configuration."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from services.process import running, wait_for

OUTFALL = Path(sys.executable).with_name("outfall")
ENVIRONMENT = {key: value for key, value in os.environ.items() if not key.startswith("OUTFALL_")}
ENVIRONMENT["OUTFALL_PSEUDONYM_KEY"] = f"test:{b64encode(bytes(32)).decode()}"

CONFIGURATION = """
state = "state"
rules = ["rules"]
enrich = "enrich"

[alerts]
jsonl = "alerts.jsonl"

[[sources]]
name = "genuine"
format = "{format}"
path = "{path}"
"""


DESTINATIONS = 'internal_domains = ["borough.test"]'
DIRECTORY = r"""id,accounts,emails,team,private_addresses
E1001,BOROUGH\jsmith,jane.smith@borough.test,Adult Care,jane.at.home@gmail.com
"""


@dataclass(frozen=True)
class Outfall:
    """A run whose alerts can be waited for."""

    process: subprocess.Popen[bytes]
    folder: Path

    def alert(self, what: str, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Give the first revision of an alert that is `wanted`."""

        def found() -> dict[str, Any] | None:
            assert self.process.poll() is None, (self.folder / "printed").read_text()
            file = self.folder / "alerts.jsonl"
            lines = file.read_bytes().splitlines(keepends=True) if file.exists() else []
            revisions = [orjson.loads(line) for line in lines if line.endswith(b"\n")]
            return next((revision for revision in revisions if wanted(revision)), None)

        alert = wait_for(f"an alert with {what}", found)
        assert alert
        return alert


@contextlib.contextmanager
def outfall_run(folder: Path, *, log: Path, format_: str, rule: str) -> Iterator[Outfall]:
    """Run outfall over a growing log with one rule, for an organisation with one employee."""
    for place, text in {
        "outfall.toml": CONFIGURATION.format(format=format_, path=log),
        "rules/rule.yml": rule,
        "enrich/destinations.toml": DESTINATIONS,
        "enrich/directory.csv": DIRECTORY,
    }.items():
        (folder / place).parent.mkdir(exist_ok=True)
        (folder / place).write_text(text, encoding="utf-8")
    command = [OUTFALL, "run", "--config", folder / "outfall.toml"]
    with running(command, output=folder / "printed", environment=ENVIRONMENT) as process:
        yield Outfall(process, folder)


def normalise(format_: str, log: bytes) -> tuple[list[dict[str, Any] | None], int]:
    """Give what `outfall normalise` makes of each line, and its exit status."""
    done = subprocess.run(
        [OUTFALL, "normalise", "--format", format_, "-"],
        input=log,
        capture_output=True,
        env=ENVIRONMENT,
        check=False,
        timeout=60,
    )
    return [orjson.loads(line) for line in done.stdout.splitlines()], done.returncode
