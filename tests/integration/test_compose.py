"""deploy/compose: taken by the loader of `docker compose`, and its services run as processes.

What needs an engine is not tried: the images, and Grafana.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from demo.broker import Broker
from demo.children import Child
from demo.database import Database
from demo.processes import PATIENCE, free_port, pointsman, stop
from deploy.manifests import DEPLOY
from pointsman import __version__
from tests.support import promtool
from tests.support.databases import fresh_database
from tests.support.helm import program

COMPOSE = DEPLOY / "compose"
SERVICES: dict[str, Any] = yaml.safe_load((COMPOSE / "compose.yaml").read_text())["services"]
#: where the image has what the repository has elsewhere
MOUNTS = {"/etc/emulator": str(COMPOSE / "emulator"), "/traffic": str(COMPOSE / "traffic")}


def loaded(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    """The project as `docker compose config` has it, or what is wrong with it."""
    (folder / "compose.yaml").write_text(text)
    return subprocess.run(
        [program("compose-spec"), "-format", "json", "compose.yaml"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_loader_of_docker_compose_takes_the_file(tmp_path: Path) -> None:
    text = (COMPOSE / "compose.yaml").read_text()
    done = loaded(tmp_path, text)
    assert done.returncode == 0, done.stderr
    services = json.loads(done.stdout)["services"]
    assert set(services) == set(SERVICES)
    for name, service in services.items():
        assert service["image"].partition(":")[2] not in {"", "latest"}, name
        for port in service.get("ports", ()):
            assert port["host_ip"] == "127.0.0.1", f"{name} is open to the network"
        for other in service.get("depends_on", ()):
            assert other in services
    assert "healthchek" in loaded(tmp_path, text.replace("healthcheck:", "healthchek:")).stderr


def test_what_is_mounted_and_built_is_there() -> None:
    dockerfile = (DEPLOY.parent / "Dockerfile").read_text()
    for service in SERVICES.values():
        for volume in service.get("volumes", ()):
            source, _, _ = volume.partition(":")
            assert (
                not source.startswith(".")
                or (COMPOSE / source).is_dir()
                or (COMPOSE / source).is_file()
            ), source
        if "build" in service:
            assert (COMPOSE / service["build"]["context"]).resolve() == DEPLOY.parent
            assert f" AS {service['build']['target']}\n" in dockerfile
        if service["image"].startswith("pointsman"):
            assert service["image"].endswith(f":{__version__}")
            assert service["read_only"] is True
            assert service["cap_drop"] == ["ALL"]


def test_prometheus_and_grafana_are_given_what_there_is(tmp_path: Path) -> None:
    (tmp_path / "mixin").symlink_to(DEPLOY / "mixin")
    (tmp_path / "prometheus.yaml").write_text((COMPOSE / "prometheus.yaml").read_text())
    checked = promtool.run("check", "config", str(tmp_path / "prometheus.yaml"))
    assert checked.returncode == 0, checked.stderr.decode()
    provisioning = COMPOSE / "grafana" / "provisioning"
    [provider] = yaml.safe_load((provisioning / "dashboards" / "pointsman.yaml").read_text())[
        "providers"
    ]
    mounts = dict(reversed(volume.split(":")[:2]) for volume in SERVICES["grafana"]["volumes"])
    home = Path(SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    assert provider["options"]["path"] == str(home.parent)
    assert (COMPOSE / mounts[str(home.parent)] / home.name).is_file()
    [source] = yaml.safe_load((provisioning / "datasources" / "prometheus.yaml").read_text())[
        "datasources"
    ]
    assert source["url"] == "http://prometheus:9090"


@contextlib.contextmanager
def running(folder: Path, broker: Broker, topic: str, dsn: str) -> Iterator[tuple[str, Path]]:
    """The emulator, the daemon and the traffic, by the commands and files of the project.

    Only addresses differ: names of services become this machine's, and the store and the topic are
    those of the test. Where the daemon's metrics are, and the log of the traffic.
    """
    ports = {name: free_port() for name in ("emulator", "daemon", "operator")}
    texts = {path.name: path.read_text() for path in (COMPOSE / "pointsman").iterdir()}
    texts["pointsman.toml"] = (
        texts["pointsman.toml"]
        .replace('postgresql://pointsman@postgres/pointsman"\npassword = "demo"', f'{dsn}"')
        .replace("port = 8081", f"port = {ports['operator']}")
        .replace("[http.operator]", f"[http]\nport = {ports['daemon']}\n[http.operator]")
        .replace("emulator:8090", f"127.0.0.1:{ports['emulator']}")
        .replace("kafka:9092", broker.bootstrap)
        .replace('topics = ["xapi.statements"]', f'topics = ["{topic}"]\ngroup_id = "{topic}"')
    )
    for name, text in texts.items():
        (folder / name).write_text(text)
    command = [
        part.replace("/etc/emulator", MOUNTS["/etc/emulator"])
        for part in SERVICES["emulator"]["command"]
    ]
    command[command.index("8090")] = str(ports["emulator"])
    metrics = f"http://127.0.0.1:{ports['operator']}"
    with contextlib.ExitStack() as stack:
        stack.enter_context(
            pointsman(command, folder / "emulator.log", f"http://127.0.0.1:{ports['emulator']}/")
        )
        configured = ["run", "--config", str(folder / "pointsman.toml")]
        stack.enter_context(pointsman(configured, folder / "daemon.log", f"{metrics}/readyz"))
        log = stack.enter_context((folder / "traffic.log").open("wb"))
        asked = [
            "--url", f"http://127.0.0.1:{ports['daemon']}", "--kafka", broker.bootstrap,
            "--topic", topic, "--per-second", "100",
            "--catalogue", str(COMPOSE / "emulator" / "catalogue.toml"),
        ]  # fmt: skip
        traffic = Child(
            [sys.executable, str(COMPOSE / "traffic" / "traffic.py"), *asked], output=log
        )
        stack.callback(stop, traffic)
        yield metrics, folder / "traffic.log"
        assert stop(traffic) == 0


def series(url: str) -> dict[str, float]:
    with urllib.request.urlopen(f"{url}/metrics") as answer:  # noqa: S310 - our own loopback
        lines = [line for line in answer.read().decode().splitlines() if line[:1] != "#"]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


async def test_its_services_work_together_as_processes(
    tmp_path: Path, broker: Broker, topic: str, database: Database
) -> None:
    awaited = (
        'pointsman_inputs_total{result="applied",source="player"}',
        'pointsman_inputs_total{result="applied",source="lessons"}',
        'pointsman_mutations_total{kind="topic_progress",verdict="done"}',
    )

    def play(dsn: str) -> None:
        with running(tmp_path, broker, topic, dsn) as (url, log):
            deadline = time.monotonic() + PATIENCE
            while not all(series(url).get(name) for name in awaited):
                assert time.monotonic() < deadline, series(url)
                time.sleep(0.1)
        assert log.read_text() == "", "something was refused"

    async with fresh_database(database) as dsn:
        await asyncio.to_thread(play, dsn)
