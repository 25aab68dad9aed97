"""The image, its steps run without an engine: a daemon that may write to /data and nowhere else."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from demo.children import Child
from demo.processes import PATIENCE, NotUp, answers, free_port, wait_until_up
from pointsman import __version__
from tests.support.image_root import Root
from tests.support.image_steps import Builder, Image, StepFailed, run
from tests.support.thoroughness import thorough

LOCKS = Path(__file__).parents[2] / "deploy" / "image"
_CONFIG = """
[http]
port = {daemon}
drain_delay_seconds = 0
[http.operator]
port = {operator}
[store]
url = "sqlite:////data/pointsman.db"
[platform]
url = "https://learn.example.com"
api_key = "b7Zk-2qLw9_xR4tV"
[[sources.http]]
name = "player"
credentials = [{{ key = "player", secret = "b7Zk-2qLw9_xR4tV" }}]
[learners.tokens]
inline = {{ "ana@example.com" = "token" }}
"""


@pytest.fixture
def builder() -> Iterator[Builder]:
    """In a folder that users of the image may enter, and on a disk: layers can't be in layers."""
    if os.geteuid() or not (shutil.which("unshare") and shutil.which("setpriv")):
        pytest.skip("needs to be root, and util-linux: unshare, setpriv")
    with tempfile.TemporaryDirectory(prefix="pointsman-image-") as folder:
        Path(folder).chmod(0o755)
        yield Builder(Path(folder), {"SOURCE_DATE_EPOCH": "1700000000", "REVISION": "abc"})


def locked_down(builder: Builder, image: Image, binds: Mapping[str, Path]) -> Root:
    """As with --read-only, --tmpfs /tmp and --cap-drop ALL."""
    return builder.root(image, binds, is_locked_down=True)


@contextlib.contextmanager
def started(
    builder: Builder, image: Image, binds: Mapping[str, Path], log: Path, url: str
) -> Iterator[None]:
    """The image's command, up when `url` answers; then SIGTERM, as an engine sends it."""
    command = locked_down(builder, image, binds).command([*image.entrypoint, *image.command])
    with log.open("wb") as output:
        process = Child(command, output=output, ends_at=signal.SIGKILL)
    try:
        wait_until_up(process, lambda: answers(url))
        run(locked_down(builder, image, binds), image.healthcheck)
        yield
        [inner] = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        os.kill(int(inner), signal.SIGTERM)
        assert process.wait(PATIENCE) == 0, log.read_text()
    except NotUp as reason:
        raise AssertionError(f"{reason}: {log.read_text()}") from None
    finally:
        process.kill()
        process.wait()


def a_folder(builder_folder: Path, name: str, owner: int) -> Path:
    folder = builder_folder / name
    folder.mkdir()
    os.chown(folder, owner, owner)
    return folder


def the_daemon(builder: Builder, tmp_path: Path) -> None:
    image = builder.build("daemon")
    assert (image.user, image.folder, image.volumes) == ("10001:10001", "/data", ["/data"])
    assert image.labels["org.opencontainers.image.revision"] == "abc"
    holds = image.layers[0] / "opt" / "pointsman"
    bill = json.loads((holds / "sbom.cdx.json").read_text())
    locked = re.findall(r"^([a-z0-9-]+)==", (LOCKS / "requirements.lock").read_text(), re.MULTILINE)
    parts = {re.sub(r"[-_.]+", "-", part["name"].lower()) for part in bill["components"]}
    assert parts <= set(locked)
    assert len(parts) > 20
    packages = {path.name for path in next(holds.glob("lib/python*/site-packages")).iterdir()}
    assert not packages & {"pip", "graphql", "setuptools"}
    dates = {int(path.lstat().st_mtime) for path in holds.rglob("*")}
    assert dates == {1_700_000_000}, "two builds are not the same"

    ports = {"daemon": free_port(), "operator": free_port()}
    data, config = (a_folder(tmp_path, name, 10_001) for name in ("data", "config"))
    (config / "pointsman.toml").write_text(_CONFIG.format(**ports))
    binds = {"/data": data, "/etc/pointsman": config}
    inside = locked_down(builder, image, binds)
    said = run(inside, ["sh", "-c", "pointsman --version; grep CapEff /proc/self/status; id -u"])
    assert said.split()[:2] == ["pointsman", __version__]
    assert said.split()[-3:] == ["CapEff:", "0" * 16, "10001"]
    with pytest.raises(StepFailed, match="Read-only file system"):
        run(inside, ["touch", "/opt/pointsman/x"])
    url = f"http://127.0.0.1:{ports['operator']}/readyz"
    with started(builder, image, binds, tmp_path / "daemon.log", url):
        assert (data / "pointsman.db").exists()


def the_emulator(builder: Builder, tmp_path: Path) -> None:
    image = builder.build("emulator")
    port = free_port()
    image.command += ["--port", str(port), "--api-key", "k"]
    image.healthcheck = [part.replace("8090", str(port)) for part in image.healthcheck]
    binds = {"/data": a_folder(tmp_path, "data", 10_001)}
    url = f"http://127.0.0.1:{port}/"
    with started(builder, image, binds, tmp_path / "emulator.log", url):
        assert (tmp_path / "data" / "emulator.db").exists()


@pytest.mark.parametrize("target", thorough([the_daemon, the_emulator], otherwise=[the_daemon]))
def test_an_image_holds_what_is_locked_and_runs_where_it_may_write_to_data_alone(
    builder: Builder, tmp_path: Path, target: Callable[[Builder, Path], None]
) -> None:
    target(builder, tmp_path)
