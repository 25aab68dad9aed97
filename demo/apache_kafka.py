"""Apache Kafka from Maven Central: a broker of our own, which can be ended and started again."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from demo.children import Child
from demo.processes import NotUp, free_port, wait_until_up

KAFKA_VERSION = "3.9.1"
_CACHE = Path(__file__).resolve().parent.parent / ".cache"
#: seconds that a download may take
_DOWNLOAD = 600.0


class Unavailable(Exception):
    """This machine can't run this kind of server."""


class KafkaServer:
    """One process for broker and controller, with its data in `folder`.

    It has the same port and the same data however often it is started. Raises `Unavailable` where
    it can't be run.
    """

    kind = f"Apache Kafka {KAFKA_VERSION} from Maven Central"

    def __init__(self, folder: Path) -> None:
        java = shutil.which("java")
        if java is None:
            raise Unavailable("there is no java")
        self._java = [java, "-Xmx256m", "-XX:TieredStopAtLevel=1", "-cp", f"{kafka_jars()}/*"]
        self._port = free_port()
        self._log = folder / "out.log"
        self._properties = folder / "server.properties"
        self._properties.write_text(
            _PROPERTIES.format(port=self._port, controller=free_port(), logs=folder)
        )
        self._process = contextlib.ExitStack()
        self._format()

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self._port}"

    def start(self) -> None:
        """Returns when it accepts connections."""
        command = [*self._java, "kafka.Kafka", str(self._properties)]
        self._process.enter_context(child(command, self._port, self._log))

    def stop(self) -> None:
        """As sudden as a crash; what it has written stays. Does nothing when it does not run."""
        self._process.close()

    def _format(self) -> None:
        tool = ["kafka.tools.StorageTool", "format", "-t", _CLUSTER, "-c", str(self._properties)]
        done = subprocess.run(
            [*self._java, *tool],
            check=False,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise Unavailable(f"formatting the storage failed: {done.stderr[-2000:]}")


@contextlib.contextmanager
def own_kafka() -> Iterator[KafkaServer]:
    """A server that runs, with its data in a folder that goes away. Raises `Unavailable`."""
    with tempfile.TemporaryDirectory(prefix="pointsman-kafka-") as folder:
        server = KafkaServer(Path(folder))
        try:
            server.start()
            yield server
        finally:
            server.stop()


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
