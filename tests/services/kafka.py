"""A real Apache Kafka on loopback: one broker or three, which can be killed, frozen and started again."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError

from services import maven
from services.process import lasting_port, listening, running, wait_for

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
START = 90  # seconds until a cluster must be there, on a busy machine
MIB = 1 << 20


def jars() -> Path:
    """Give the folder with Kafka's jars."""
    return maven.jars(f"kafka-{VERSION}", ARTIFACTS)


@dataclass
class Broker:
    """One process of a cluster; it keeps its data and its ports when it is started again."""

    node: int
    folder: Path
    port: int = field(default_factory=lasting_port)
    controller: int = field(default_factory=lasting_port)
    _process: subprocess.Popen[bytes] | None = None
    _ending: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    @property
    def address(self) -> str:
        """Where clients find it."""
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The id of its process."""
        assert self._process, "the broker was not started"
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether its process is there, be it frozen."""
        return self._process is not None and self._process.poll() is None

    def prepare(self, settings: Mapping[str, object]) -> None:
        """Write its configuration and format its storage."""
        self.folder.mkdir()
        (self.folder / "log4j2.properties").write_text(LOGGING)
        properties = "".join(f"{name}={value}\n" for name, value in settings.items())
        (self.folder / "server.properties").write_text(properties)
        format_ = ("kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", "server.properties")
        done = subprocess.run(
            [*JAVA, "-cp", f"{jars()}/*", *format_],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=START,
        )
        assert not done.returncode, f"Kafka's storage could not be formatted: {done.stderr[-2000:]}"

    def start(self) -> None:
        """Start it, also again after `kill`; `Kafka.wait` waits until it serves."""
        assert not self.alive, "the broker runs already"
        command = [*JAVA, "-cp", f"{jars()}/*", "kafka.Kafka", "server.properties"]
        self._process = self._ending.enter_context(
            running(
                command,
                output=self.folder / "printed",
                environment=os.environ,
                stop=signal.SIGKILL,
                folder=self.folder,
            )
        )

    def kill(self) -> None:
        """End it with SIGKILL, also when it is frozen."""
        self._ending.close()

    def pause(self) -> None:
        """Freeze it: its connections stay open and nothing answers."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on after `pause`."""
        os.kill(self.pid, signal.SIGCONT)


@dataclass(frozen=True)
class Kafka:
    """A running cluster."""

    folder: Path
    brokers: tuple[Broker, ...]

    @property
    def bootstrap(self) -> str:
        """Where clients find it: the addresses of all brokers, with commas between."""
        return ",".join(broker.address for broker in self.brokers)

    def wait(self, seconds: float = START) -> None:
        """Wait until each broker that is alive knows all of them as serving."""
        for broker in self.brokers:
            if broker.alive:
                wait_for(
                    f"broker {broker.node} to serve",
                    lambda broker=broker: self._serves(broker),
                    seconds=seconds,
                )

    def _serves(self, asked: Broker) -> bool:
        for broker in self.brokers:
            said = "".join(file.read_text() for file in broker.folder.glob("printed"))
            assert broker.alive or broker is not asked, f"broker {broker.node} ended: {said[-2000:]}"
        if not listening(asked.port):
            return False
        with contextlib.suppress(KafkaError):
            client = KafkaAdminClient(bootstrap_servers=asked.address)
            try:
                found = client.describe_cluster()["brokers"]
            finally:
                client.close()
            serving = {broker["broker_id"] for broker in found if not broker.get("is_fenced")}
            return serving >= {broker.node for broker in self.brokers if broker.alive}
        return False


def _settings(broker: Broker, brokers: tuple[Broker, ...]) -> dict[str, object]:
    copies = len(brokers)
    in_sync = min(copies, 2)
    return {
        "process.roles": "broker,controller",
        "node.id": broker.node,
        "controller.quorum.voters": ",".join(f"{each.node}@127.0.0.1:{each.controller}" for each in brokers),
        "listeners": f"CLIENT://{broker.address},CONTROLLER://127.0.0.1:{broker.controller}",
        "advertised.listeners": f"CLIENT://{broker.address}",
        "listener.security.protocol.map": "CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "CLIENT",
        "controller.listener.names": "CONTROLLER",
        "log.dirs": broker.folder / "data",
        "auto.create.topics.enable": "false",
        "default.replication.factor": copies,
        "min.insync.replicas": in_sync,
        "offsets.topic.num.partitions": 4,
        "offsets.topic.replication.factor": copies,
        "transaction.state.log.num.partitions": 4,
        "transaction.state.log.replication.factor": copies,
        "transaction.state.log.min.isr": in_sync,
        "share.coordinator.state.topic.num.partitions": 4,
        "share.coordinator.state.topic.replication.factor": copies,
        "share.coordinator.state.topic.min.isr": in_sync,
        "group.initial.rebalance.delay.ms": 0,
        "group.min.session.timeout.ms": 1000,  # tests choose short ones
        "broker.session.timeout.ms": 4000,  # a killed broker is soon replaced, and may soon come back
        "broker.heartbeat.interval.ms": 500,
        "message.max.bytes": 16 * MIB,
        "replica.fetch.max.bytes": 16 * MIB,
        "log.cleaner.threads": 1,
        "log.cleaner.dedupe.buffer.size": 4 * MIB,  # it is allocated at the start
        "num.network.threads": 2,
        "num.io.threads": 2,
    }


@contextlib.contextmanager
def kafka(brokers: int = 1) -> Iterator[Kafka]:
    """Run a cluster until the block ends, with an address of its own and no topics."""
    with tempfile.TemporaryDirectory(prefix="outfall-kafka-") as name, contextlib.ExitStack() as ending:
        folder = Path(name)
        nodes = tuple(Broker(node, folder / str(node)) for node in range(1, brokers + 1))
        for broker in nodes:
            broker.prepare(_settings(broker, nodes))
        for broker in nodes:
            ending.callback(broker.kill)
            broker.start()
        cluster = Kafka(folder, nodes)
        cluster.wait()
        yield cluster
