"""What a broker of the tests is told in its `server.properties`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from services.certificates import Authority
from services.kafka_broker import Broker

Security = Literal["sasl", "mtls"]

PROTOCOL: dict[Security | None, str] = {None: "PLAINTEXT", "sasl": "SASL_SSL", "mtls": "SSL"}
MECHANISM = "SCRAM-SHA-512"
ADMIN = "admin"  # the user who may do anything
MIB = 1 << 20


def settings(broker: Broker, brokers: Sequence[Broker], security: Security | None) -> dict[str, object]:
    """Give the settings of one of `brokers`; clients come by the listener CLIENT, other brokers by INSIDE."""
    copies = len(brokers)
    in_sync = min(copies, 2)
    return {
        "process.roles": "broker,controller",
        "node.id": broker.node,
        "controller.quorum.voters": ",".join(f"{each.node}@127.0.0.1:{each.controller}" for each in brokers),
        "listeners": (
            f"CLIENT://127.0.0.1:{broker.port},INSIDE://127.0.0.1:{broker.inside},"
            f"CONTROLLER://127.0.0.1:{broker.controller}"
        ),
        "advertised.listeners": f"CLIENT://127.0.0.1:{broker.port},INSIDE://127.0.0.1:{broker.inside}",
        "listener.security.protocol.map": (
            f"CLIENT:{PROTOCOL[security]},INSIDE:PLAINTEXT,CONTROLLER:PLAINTEXT"
        ),
        "inter.broker.listener.name": "INSIDE",
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
        "broker.session.timeout.ms": 3000,  # until then a killed broker still leads, and cannot come back
        "broker.heartbeat.interval.ms": 500,
        "message.max.bytes": 16 * MIB,
        "replica.fetch.max.bytes": 16 * MIB,
        "log.cleaner.threads": 1,
        "log.cleaner.dedupe.buffer.size": 4 * MIB,  # it is allocated at the start
        "num.network.threads": 2,
        "num.io.threads": 2,
    }


def security_settings(security: Security, authority: Authority) -> dict[str, object]:
    """Give the settings by which the listener CLIENT asks who is there and ACLs say what they may do."""
    common = {
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": f"User:{ADMIN};User:ANONYMOUS",  # nobody is ANONYMOUS but at INSIDE and CONTROLLER
        "listener.name.client.ssl.keystore.type": "PEM",
        "listener.name.client.ssl.keystore.location": authority.server(),
    }
    if security == "sasl":
        module = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        return common | {
            "sasl.enabled.mechanisms": MECHANISM,
            f"listener.name.client.{MECHANISM.lower()}.sasl.jaas.config": module,
        }
    return common | {
        "listener.name.client.ssl.client.auth": "required",
        "listener.name.client.ssl.truststore.type": "PEM",
        "listener.name.client.ssl.truststore.location": authority.certificate,
        "ssl.principal.mapping.rules": "RULE:^CN=([^,]+).*$/$1/",
    }
