"""A real Alertmanager on loopback with our routes, amtool, and what receives its notifications."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from services.packages import Package, package
from services.process import lasting_port, running, wait_for

CONFIGURATION = Path(__file__).resolve().parents[2] / "deploy" / "alertmanager" / "alertmanager.yml"
PACKAGE = "prometheus-alertmanager"
TEMPLATES = "usr/share/prometheus/alertmanager/default.tmpl"


def amtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run amtool, and give what came of it."""
    files = package(PACKAGE)
    command = [files.path("usr/bin/amtool"), *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, env=files.environment, check=False, timeout=60
    )


@dataclass(frozen=True)
class Told:
    """An alert in a notification: who got it, whether it is over, its labels, and when it came."""

    receiver: str
    resolved: bool
    labels: dict[str, str]
    annotations: dict[str, str]
    at: float


@dataclass
class Receiver:
    """Takes notifications for all receivers of our routes."""

    told: list[Told] = field(default_factory=list)
    port: int = 0

    def of(self, receiver: str, *, resolved: bool = False) -> list[Told]:
        """Give what one receiver was told, in order."""
        return [one for one in self.told if one.receiver == receiver and one.resolved is resolved]

    def take(self, receiver: str, notification: dict[str, Any]) -> None:
        """Take one notification."""
        for each in notification["alerts"]:
            over = each["status"] == "resolved"
            self.told.append(Told(receiver, over, each["labels"], each["annotations"], time.time()))


@contextlib.contextmanager
def receiving() -> Iterator[Receiver]:
    """Receive notifications until the block ends."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.take(self.path.strip("/"), json.loads(content))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class Alertmanager:
    """A server that can be killed and started again; what it knew of alerts is gone then."""

    folder: Path
    receiver: Receiver
    wait: str = "1s"
    port: int = field(default_factory=lasting_port)
    _ending: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    @property
    def address(self) -> str:
        """Where it is told."""
        return f"http://127.0.0.1:{self.port}"

    def firing(self) -> list[dict[str, str]]:
        """Give the labels of all alerts that it takes for open."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v2/alerts", timeout=5) as got:
            return [alert["labels"] for alert in json.load(got)]

    def start(self) -> None:
        """Start it with our routes, which wait for `wait` where they wait for ten seconds."""
        files = package(PACKAGE)
        self.folder.mkdir(parents=True, exist_ok=True)
        text = CONFIGURATION.read_text(encoding="utf-8")
        text = text.replace("group_wait: 10s", f"group_wait: {self.wait}").replace(": 10s", ": 1s")
        text = re.sub(r"http://([\w-]+)\.invalid/outfall", rf"http://127.0.0.1:{self.receiver.port}/\1", text)
        (self.folder / "alertmanager.yml").write_text(text, encoding="utf-8")
        command = [
            *_templates(files),
            files.path("usr/bin/prometheus-alertmanager"),
            f"--config.file={self.folder}/alertmanager.yml",
            f"--storage.path={self.folder}/data",
            f"--web.listen-address=127.0.0.1:{self.port}",
            "--cluster.listen-address=",
        ]
        printed = self.folder / "printed"
        process = self._ending.enter_context(
            running(command, output=printed, environment=files.environment, stop=signal.SIGKILL)
        )

        def ready() -> bool:
            assert process.poll() is None, f"Alertmanager ended: {printed.read_text()[-2000:]}"
            with contextlib.suppress(OSError):
                address = f"http://127.0.0.1:{self.port}/-/ready"
                with urllib.request.urlopen(address, timeout=5) as got:
                    return bool(got.status == 200)
            return False

        wait_for("Alertmanager to be ready", ready)

    def kill(self) -> None:
        """End it with SIGKILL."""
        self._ending.close()


def _templates(files: Package) -> list[str | Path]:
    """Give what starts a program where Debian's Alertmanager looks for its templates, and nowhere else.

    It finds them under /usr/share alone; where they are not installed, ours are laid over that, for it only.
    """
    if Path("/", TEMPLATES).exists():
        return []
    script = 'mount -t overlay overlay -o "lowerdir=$0:/usr/share" /usr/share && exec "$@"'
    return ["unshare", "--map-root-user", "--mount", "sh", "-c", script, files.path("usr/share")]


@contextlib.contextmanager
def alertmanager(folder: Path) -> Iterator[Alertmanager]:
    """Run an Alertmanager, and receive its notifications, until the block ends."""
    with receiving() as receiver:
        server = Alertmanager(folder, receiver)
        server.start()
        try:
            yield server
        finally:
            server.kill()
