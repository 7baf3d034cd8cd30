"""A real Elasticsearch on loopback, from the build that its makers publish for tests; it needs Java 21."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.request
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from elasticsearch import Elasticsearch as Client

from services.packages import cached, unavailable
from services.process import lasting_port, running, wait_for

VERSION = "9.5.4"
ARTIFACT = f"org.elasticsearch.distribution.integ-test-zip:elasticsearch:{VERSION}:zip"
COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"
DOWNLOAD, START = 300, 120  # seconds
JAVA = 21
NOBODY = 65534  # the server refuses to run as root

SETTINGS = {
    "discovery.type": "single-node",
    "network.host": "127.0.0.1",
    "xpack.security.enabled": "false",
    "cluster.routing.allocation.disk.threshold_enabled": "false",
}
OPTIONS = "-Xms768m -Xmx768m -XX:TieredStopAtLevel=1 -XX:-UsePerfData"


def java() -> Path:
    """Give the folder of a JDK that is new enough, or skip the test where there is none."""
    there = [os.environ.get("ES_JAVA_HOME"), os.environ.get("JAVA_HOME"), shutil.which("java")]
    folders = [Path(each).resolve() for each in there if each]
    folders = [folder.parents[1] if folder.name == "java" else folder for folder in folders]
    folders += sorted(Path("/usr/lib/jvm").glob("*"))
    enough = (folder for folder in folders if _version(folder / "bin" / "java") >= JAVA)
    found = next(enough, None)
    if found is None:
        unavailable(f"Elasticsearch needs a JDK of {JAVA} or later, and there is none: set JAVA_HOME to one")
    return found


def _version(program: Path) -> int:
    if not program.exists():
        return 0
    said = subprocess.run([program, "-version"], capture_output=True, text=True, check=False, timeout=30)
    found = re.search(r'version "(\d+)', said.stderr)
    return int(found[1]) if found else 0


def program() -> Path:
    """Give the folder of the server's files, or skip the test where they cannot be had."""
    return cached(f"elasticsearch-{VERSION}", _unpack)


def _unpack(aside: Path) -> Path:
    if not shutil.which("mvn"):
        unavailable("Elasticsearch comes from Maven's repository and there is no mvn")
    sys.stderr.write("Downloading Elasticsearch from Maven's repository; that can take a minute\n")
    command = ["mvn", "--quiet", "--batch-mode", COPY, f"-Dartifact={ARTIFACT}", f"-DoutputDirectory={aside}"]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=DOWNLOAD
    )
    if done.returncode:
        unavailable(f"mvn could not download Elasticsearch: {(done.stdout + done.stderr).strip()[-400:]}")
    with zipfile.ZipFile(aside / f"elasticsearch-{VERSION}.zip") as archive:
        archive.extractall(aside)
    root = aside / f"elasticsearch-{VERSION}"
    for script in (root / "bin").iterdir():
        script.chmod(0o755)
    return root


@dataclass
class Elasticsearch:
    """A server with one node: a process that can be killed and started again on its data."""

    folder: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=lasting_port)
    inside: int = field(default_factory=lasting_port)
    _process: subprocess.Popen[bytes] | None = None
    _ending: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    @property
    def address(self) -> str:
        """Where it is asked."""
        return f"http://127.0.0.1:{self.port}"

    def client(self) -> Client:
        """Give a client."""
        return Client(self.address)

    def start(self) -> None:
        """Start it, also again after `kill`, and wait until it serves."""
        home, files = java(), program()
        config, temporary = self.folder / "config", self.folder / "tmp"
        temporary.mkdir(parents=True, exist_ok=True)
        if not config.exists():
            config.mkdir(parents=True)
            for name in ("log4j2.properties", "jvm.options"):
                shutil.copy(files / "config" / name, config / name)
        given = SETTINGS | {
            "http.port": str(self.port),
            "transport.port": str(self.inside),
            "path.data": str(self.folder / "data"),
            "path.logs": str(self.folder / "logs"),
        }
        lines = [f"{name}: {value}\n" for name, value in {**given, **self.settings}.items()]
        (config / "elasticsearch.yml").write_text("".join(lines), encoding="utf-8")
        command: list[str | Path] = [files / "bin" / "elasticsearch"]
        if os.getuid() == 0:
            for path in (self.folder, temporary, config, *config.iterdir()):
                os.chown(path, NOBODY, NOBODY)
            command = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *command]
        environment = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "ES_JAVA_HOME": str(home),
            "ES_PATH_CONF": str(config),
            "ES_JAVA_OPTS": OPTIONS,
            "ES_TMPDIR": str(temporary),
            "HOME": str(self.folder),
        }
        self._process = self._ending.enter_context(
            running(command, output=self.folder / "printed", environment=environment, folder=self.folder)
        )
        wait_for("Elasticsearch to serve", self._serves, seconds=START)

    def kill(self) -> None:
        """End all of it with SIGKILL."""
        assert self._process, "it was not started"
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(20)
        self._ending.close()

    def stop(self) -> None:
        """End it."""
        self._ending.close()

    def _serves(self) -> bool:
        assert self._process, "it was not started"
        printed = self.folder / "printed"
        assert self._process.poll() is None, f"Elasticsearch ended: {printed.read_text()[-2000:]}"
        with contextlib.suppress(OSError):
            health = "_cluster/health?wait_for_status=yellow&timeout=1s"
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/{health}", timeout=5) as answer:
                return bool(answer.status == 200)
        return False


@contextlib.contextmanager
def elasticsearch(**settings: str) -> Iterator[Elasticsearch]:
    """Run a server until the block ends; dots in the names of settings are written as two underscores."""
    with tempfile.TemporaryDirectory(prefix="outfall-elasticsearch-") as folder:
        Path(folder).chmod(0o755)
        named = {name.replace("__", "."): value for name, value in settings.items()}
        server = Elasticsearch(Path(folder), named)
        try:
            server.start()
            yield server
        finally:
            server.stop()
