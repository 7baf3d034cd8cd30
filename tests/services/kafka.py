"""A real Apache Kafka on loopback: one broker or three, open to all or asking who is there."""

from __future__ import annotations

import contextlib
import ssl
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    KafkaAdminClient,
    ResourcePattern,
    ResourceType,
    UserScramCredentialUpsertion,
)
from kafka.errors import KafkaError

from services.certificates import Authority
from services.kafka_broker import Broker
from services.kafka_settings import ADMIN, MECHANISM, PROTOCOL, Security, security_settings, settings
from services.process import listening, wait_for

START = 90  # seconds until a cluster must be there, on a busy machine
ANSWER = 5000  # milliseconds that a broker may take to answer


@dataclass(frozen=True)
class Kafka:
    """A running cluster; one that other tests use too shows no brokers, so that none is killed under them."""

    bootstrap: str
    brokers: tuple[Broker, ...] = ()
    security: Security | None = None
    authority: Authority = field(default_factory=lambda: Authority(Path()))

    def wait(self, seconds: float = START) -> None:
        """Wait until each broker that is up serves, and knows which are up: those, and no others."""
        up = [broker for broker in self.brokers if broker.alive and not broker.frozen]
        nodes = {broker.node for broker in up}
        for broker in up:
            wait_for(
                f"broker {broker.node} to serve",
                lambda asked=broker: _known(asked) == nodes,
                seconds=seconds,
            )

    @property
    def inside(self) -> str:
        """Where everyone may do anything, without a password or a certificate: to arrange things."""
        return ",".join(f"127.0.0.1:{broker.inside}" for broker in self.brokers) or self.bootstrap

    @property
    def ca(self) -> Path:
        """The certificate of the authority that signed the brokers', and with mtls the clients'."""
        return self.authority.certificate

    def client_certificate(self, name: str) -> Path:
        """Give the certificate of the client `name`, made when first asked for."""
        return self.authority.client(name)[0]

    def client_key(self, name: str) -> Path:
        """Give the key that belongs to it."""
        return self.authority.client(name)[1]

    def password(self, user: str) -> str:
        """Give the password of a user who was added."""
        return f"{user}-secret"

    def client(self, user: str = ADMIN) -> dict[str, Any]:
        """Give the arguments by which a client of aiokafka or kafka-python connects as `user`."""
        arguments: dict[str, Any] = {"bootstrap_servers": self.bootstrap}
        if not self.security:
            return arguments
        context = ssl.create_default_context(cafile=self.ca)
        arguments |= {"security_protocol": PROTOCOL[self.security], "ssl_context": context}
        if self.security == "mtls":
            context.load_cert_chain(self.client_certificate(user), self.client_key(user))
            return arguments
        return arguments | {
            "sasl_mechanism": MECHANISM,
            "sasl_plain_username": user,
            "sasl_plain_password": self.password(user),
        }

    def add_user(self, user: str) -> None:
        """Make a user of sasl, who may do nothing yet (mtls knows all who have a certificate)."""
        credential = UserScramCredentialUpsertion(user, MECHANISM, self.password(user))
        with admin(bootstrap_servers=self.inside) as client:
            refused = client.alter_user_scram_credentials([credential])
        assert not any(refused.values()), refused
        for broker in self.brokers:
            wait_for(f"broker {broker.node} to know a user", lambda asked=broker: self._admits(user, asked))

    def allow(
        self, user: str, kind: ResourceType, name: str, *operations: ACLOperation, prefix: bool = False
    ) -> None:
        """Allow `user` to do `operations` on what is named `name`, or with `prefix` begins with it."""
        pattern = ACLResourcePatternType.PREFIXED if prefix else ACLResourcePatternType.LITERAL
        resource = ResourcePattern(kind, name, pattern)
        wanted = [
            ACL(f"User:{user}", "*", operation, ACLPermissionType.ALLOW, resource) for operation in operations
        ]
        with admin(bootstrap_servers=self.inside) as client:
            assert not client.create_acls(wanted)["failed"]
        for broker in self.brokers:
            with admin(bootstrap_servers=f"127.0.0.1:{broker.inside}") as client:
                for acl in wanted:
                    wait_for("an ACL", lambda client=client, acl=acl: client.describe_acls(acl)[0])

    def _admits(self, user: str, asked: Broker) -> bool:
        with (
            contextlib.suppress(KafkaError),
            admin(**self.client(user) | {"bootstrap_servers": f"127.0.0.1:{asked.port}"}),
        ):
            return True
        return False


def admin(**arguments: Any) -> contextlib.closing[KafkaAdminClient]:
    """Give a client for administration, closed at the end of the block, that does not wait for long."""
    limits = {"bootstrap_timeout_ms": ANSWER, "request_timeout_ms": ANSWER}
    return contextlib.closing(KafkaAdminClient(**limits | arguments))


def _known(asked: Broker) -> set[int]:
    """Give the brokers that this one knows as serving; none while it does not serve itself."""
    assert asked.alive, f"broker {asked.node} ended: {asked.said}"
    if not listening(asked.port) or not listening(asked.inside):
        return set()
    with contextlib.suppress(KafkaError), admin(bootstrap_servers=f"127.0.0.1:{asked.inside}") as client:
        found = client.describe_cluster()["brokers"]
        return {broker["broker_id"] for broker in found if not broker["is_fenced"]}
    return set()


@contextlib.contextmanager
def kafka(
    brokers: int = 1, *, security: Security | None = None, folder: Path | None = None
) -> Iterator[Kafka]:
    """Run a cluster until the block ends; `folder`, if given, keeps its data and logs.

    With `security` clients need a password ("sasl") or a certificate ("mtls"), and all but `admin` need ACLs.
    """
    with contextlib.ExitStack() as ending:
        if folder is None:
            folder = Path(ending.enter_context(tempfile.TemporaryDirectory(prefix="outfall-kafka-")))
        nodes = tuple(Broker(node, folder / f"broker-{node}") for node in range(1, brokers + 1))
        bootstrap = ",".join(f"127.0.0.1:{broker.port}" for broker in nodes)
        cluster = Kafka(bootstrap, nodes, security, Authority(folder / "certificates"))
        secured = security_settings(security, cluster.authority) if security else {}
        for broker in nodes:
            broker.prepare(settings(broker, nodes, security) | secured)
        for broker in nodes:
            ending.callback(broker.kill)
            broker.start()
        cluster.wait()
        if security == "sasl":
            cluster.add_user(ADMIN)
        yield cluster
