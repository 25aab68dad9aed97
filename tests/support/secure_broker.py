"""Apache Kafka with every kind of listener, its certificates, and its users."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from demo.apache_kafka import KAFKA_VERSION, Unavailable, child, kafka_jars
from demo.broker import Broker
from demo.processes import free_port
from tests.support.certificates import authority, signed

USER, PASSWORD = "pointsman", "a secret"
_LISTENERS = ("PLAINTEXT", "SASL_PLAINTEXT", "SSL", "SASL_SSL")
_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners={listeners},CONTROLLER://127.0.0.1:{controller}
advertised.listeners={listeners}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=CONTROLLER:PLAINTEXT,{protocols}
log.dirs={folder}/data
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
allow.everyone.if.no.acl.found=true
super.users=User:ANONYMOUS
ssl.keystore.type=PEM
ssl.keystore.location={folder}/server.pem
ssl.truststore.type=PEM
ssl.truststore.location={folder}/ca.pem
listener.name.ssl.ssl.client.auth=required
listener.name.sasl_ssl.ssl.client.auth=none
"""
_MODULES = "org.apache.kafka.common.security"
_LOGINS = {
    "plain": f'{_MODULES}.plain.PlainLoginModule required user_{USER}="{PASSWORD}";',
    "scram-sha-256": f"{_MODULES}.scram.ScramLoginModule required;",
    "scram-sha-512": f"{_MODULES}.scram.ScramLoginModule required;",
}


@dataclass(frozen=True, slots=True)
class SecureBroker:
    """`ports` by the name of the protocol; `folder` holds ca.pem, client.pem and stranger.pem."""

    ports: dict[str, int]
    folder: Path

    def server(self, protocol: str) -> str:
        return f"127.0.0.1:{self.ports[protocol]}"

    def add_acl(self, verb: Literal["allow", "deny"], operation: str, kind: str, name: str) -> None:
        """A rule for the user about one `topic` or `group`; what it does not allow is refused."""
        command = ["java", "-cp", f"{kafka_jars()}/*", "kafka.admin.AclCommand"]
        command += ["--bootstrap-server", self.plain.bootstrap, "--add"]
        command += [f"--{verb}-principal", f"User:{USER}", "--operation", operation]
        subprocess.run([*command, f"--{kind}", name], check=True, capture_output=True)

    @property
    def plain(self) -> Broker:
        return Broker(self.server("PLAINTEXT"), f"Apache Kafka {KAFKA_VERSION}")


@contextmanager
def secure_broker(folder: Path) -> Iterator[SecureBroker]:
    """Raises `Unavailable` where Apache Kafka can't be run."""
    java = shutil.which("java")
    if java is None:
        raise Unavailable("there is no java")
    jars = kafka_jars()
    _certificates(folder)
    ports = {name: free_port() for name in _LISTENERS}
    controller = free_port()
    listeners = ",".join(f"{name}://127.0.0.1:{port}" for name, port in ports.items())
    text = _PROPERTIES.format(
        controller=controller,
        listeners=listeners,
        protocols=",".join(f"{name}:{name}" for name in _LISTENERS),
        folder=folder,
    )
    for name in ("sasl_plaintext", "sasl_ssl"):
        text += f"listener.name.{name}.sasl.enabled.mechanisms={','.join(_LOGINS).upper()}\n"
        for mechanism, login in _LOGINS.items():
            text += f"listener.name.{name}.{mechanism}.sasl.jaas.config={login}\n"
    properties = folder / "server.properties"
    properties.write_text(text)
    command = [java, "-Xmx256m", "-XX:TieredStopAtLevel=1", "-cp", f"{jars}/*"]
    users = [
        option
        for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512")
        for option in ("--add-scram", f"{mechanism}=[name={USER},password={PASSWORD}]")
    ]
    cluster = "cG9pbnRzbWFuLXRlc3RzMA"
    subprocess.run(
        [
            *(*command, "kafka.tools.StorageTool", "format"),
            *("-t", cluster, "-c", str(properties), *users),
        ],
        check=True,
        capture_output=True,
    )
    with child([*command, "kafka.Kafka", str(properties)], ports["PLAINTEXT"], folder / "out.log"):
        yield SecureBroker(ports, folder)


def _certificates(folder: Path) -> None:
    """An authority that signs server.pem and client.pem, and another for stranger.pem."""
    ours = authority(folder / "ca.pem")
    signed(folder / "server.pem", "127.0.0.1", ours)
    signed(folder / "client.pem", "pointsman", ours)
    signed(folder / "stranger.pem", "pointsman", authority(folder / "other-ca.pem"))
