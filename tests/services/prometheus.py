"""A real Prometheus on loopback, and promtool, which checks what Prometheus is given."""

from __future__ import annotations

import contextlib
import json
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.packages import package
from services.process import free_port, running, wait_for

CONFIGURATION = """
global: {{scrape_interval: 200ms}}
scrape_configs:
  - job_name: outfall
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""


def promtool(*arguments: str | Path, given: bytes = b"") -> str:
    """Give what promtool prints; fail, with that, if it finds fault."""
    files = package("prometheus")
    done = subprocess.run(
        [files.path("usr/bin/promtool"), *arguments],
        input=given,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=files.environment,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout.decode()
    return done.stdout.decode()


@dataclass(frozen=True)
class Prometheus:
    """A running server."""

    port: int

    def ask(self, expression: str) -> list[dict[str, Any]]:
        """Give the series that an expression has now."""
        query = urllib.parse.urlencode({"query": expression})
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v1/query?{query}", timeout=20) as got:
            return json.load(got)["data"]["result"]  # type: ignore[no-any-return]  # so it is documented


@contextlib.contextmanager
def prometheus(folder: Path, scraped: int) -> Iterator[Prometheus]:
    """Run Prometheus in a folder; it scrapes the port `scraped` of the loopback address."""
    files = package("prometheus")
    port = free_port()
    (folder / "prometheus.yml").write_text(CONFIGURATION.format(port=scraped), encoding="utf-8")
    command = [
        files.path("usr/bin/prometheus"),
        f"--config.file={folder}/prometheus.yml",
        f"--storage.tsdb.path={folder}/data",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with running(command, output=folder / "printed", environment=files.environment) as process:
        wait_for("Prometheus to be ready", lambda: _ended(process.poll(), folder) or _ready(port))
        yield Prometheus(port)


def _ready(port: int) -> bool:
    """Tell whether it answers questions; it listens before that, and then says 503."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/-/ready", timeout=20) as got:
            return bool(got.status == 200)
    except OSError:
        return False


def _ended(status: int | None, folder: Path) -> bool:
    assert status is None, f"prometheus ended with {status}: {(folder / 'printed').read_text()[-2000:]}"
    return False
