"""One broker of a cluster: a process that can be killed, frozen and started again on its data."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from services import maven
from services.process import lasting_port, running

VERSION = "4.4.0"
LOG4J = "2.25.1"
ARTIFACTS = (
    f"org.apache.kafka:kafka_2.13:{VERSION}",
    f"org.apache.logging.log4j:log4j-slf4j-impl:{LOG4J}",
    f"org.apache.logging.log4j:log4j-core:{LOG4J}",
)

LOGGING = """
appender.file.type = File
appender.file.name = file
appender.file.fileName = kafka.log
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %d{ISO8601} %-5p %c{1} %m%n
rootLogger.level = WARN
rootLogger.appenderRef.file.ref = file
logger.group.name = org.apache.kafka.coordinator.group
logger.group.level = INFO
logger.strangers.name = org.apache.kafka.common.network
logger.strangers.level = INFO
logger.refused.name = kafka.authorizer.logger
logger.refused.level = INFO
"""

JAVA = (
    "java",
    "-Xms256m",
    "-Xmx512m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:-UsePerfData",  # a file of this, and the libraries unpacked to tmpdir, would outlive kill -9
    "-Djava.io.tmpdir=.",
    "-Djava.net.preferIPv4Stack=true",
    "-Dlog4j2.configurationFile=log4j2.properties",
)

CLUSTER_ID = "b3V0ZmFsbC1pbi10ZXN0cw"  # 16 bytes in base64
FORMAT = ("kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", "server.properties")
FORMATTED = 60  # seconds for formatting


def jars() -> Path:
    """Give the folder with Kafka's jars, or skip the test where they cannot be had."""
    return maven.jars(f"kafka-{VERSION}", ARTIFACTS)


@dataclass
class Broker:
    """A broker, also a controller; `port` is for clients, `inside` for brokers and for arranging things."""

    node: int
    folder: Path
    port: int = field(default_factory=lasting_port)
    inside: int = field(default_factory=lasting_port)
    controller: int = field(default_factory=lasting_port)
    frozen: bool = False
    _process: subprocess.Popen[bytes] | None = None
    _ending: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    @property
    def pid(self) -> int:
        """The id of its process."""
        assert self._process, f"broker {self.node} was not started"
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether its process is there, be it frozen."""
        return self._process is not None and self._process.poll() is None

    @property
    def said(self) -> str:
        """The end of what it printed and logged."""
        files = (self.folder / "printed", self.folder / "kafka.log")
        return "".join(file.read_text()[-2000:] for file in files if file.exists())

    def prepare(self, settings: Mapping[str, object]) -> None:
        """Write its configuration and format its storage."""
        self.folder.mkdir(parents=True)
        (self.folder / "log4j2.properties").write_text(LOGGING)
        properties = "".join(f"{name}={value}\n" for name, value in settings.items())
        (self.folder / "server.properties").write_text(properties)
        with self._java(*FORMAT) as process:
            status = process.wait(FORMATTED)
        assert status == 0, f"Kafka's storage was not formatted: {self.said}"

    def start(self) -> None:
        """Start it, also again after `kill`; `Kafka.wait` waits until it serves."""
        assert not self.alive, f"broker {self.node} runs already"
        self._process = self._ending.enter_context(self._java("kafka.Kafka", "server.properties"))

    def kill(self) -> None:
        """End it with SIGKILL, also when it is frozen."""
        self._ending.close()
        self.frozen = False

    def pause(self) -> None:
        """Freeze it: its connections stay open and nothing answers."""
        os.kill(self.pid, signal.SIGSTOP)
        self.frozen = True

    def resume(self) -> None:
        """Let it go on after `pause`."""
        os.kill(self.pid, signal.SIGCONT)
        self.frozen = False

    def _java(self, *words: str) -> contextlib.AbstractContextManager[subprocess.Popen[bytes]]:
        return running(
            [*JAVA, "-cp", f"{jars()}/*", *words],
            output=self.folder / "printed",
            environment=os.environ,
            folder=self.folder,
            stop=signal.SIGKILL,
        )
