"""A folder with settings for `outfall worker`, and the commands about Kafka run over it."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from typer.testing import CliRunner

from streams.cli import app
from streams.runtime.topics import Topics
from streams.settings import Settings, load

KEY = f"k1:{b64encode(bytes(32)).decode()}"
SOURCE = """
[[sources]]
name = "proxy"
kind = "kafka"
topic = "{prefix}-raw"
format = "squid"
partitions = 2
"""


@dataclass(frozen=True)
class Said:
    """What a command said: its exit status, JSON lines and complaints."""

    status: int
    lines: list[dict[str, Any]]
    complaints: str


@dataclass(frozen=True)
class Live:
    """Settings with one source; `kafka` is what stands below `[kafka]`, `more` what stands before it."""

    folder: Path
    bootstrap: str
    prefix: str = field(default_factory=lambda: f"t-{uuid4().hex[:12]}")

    @property
    def config(self) -> Path:
        """The settings file."""
        return self.folder / "outfall.toml"

    @property
    def raw(self) -> str:
        """The raw topic."""
        return f"{self.prefix}-raw"

    @property
    def settings(self) -> Settings:
        """The settings, read."""
        return load(self.config, places=False)

    @property
    def topics(self) -> Topics:
        """The topics that they lead to."""
        return Topics(self.settings)

    def write(self, kafka: str = "", *, more: str = "", key: str = KEY, source: str = SOURCE) -> Live:
        """Write the settings, and the key for pseudonyms."""
        enrich = self.folder / "enrich"
        enrich.mkdir(exist_ok=True)
        (enrich / "pseudonym.key").write_text(key, encoding="utf-8")
        where = json.dumps(self.bootstrap.split(","))
        text = f'enrich = "enrich"\n{more}\n[kafka]\nprefix = "{self.prefix}"\nbootstrap = {where}\n{kafka}\n'
        self.config.write_text(text + source.format(prefix=self.prefix), encoding="utf-8")
        return self

    def run(self, *command: str) -> Said:
        """Run a command as in a pipe."""
        result = CliRunner().invoke(app, [*command, "--config", str(self.config)])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return Said(
            result.exit_code, [json.loads(line) for line in result.stdout.splitlines()], result.stderr
        )
