"""A store on a file system of the network is told, by the start and by the doctor."""

from __future__ import annotations

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from pointsman.doctor import Level
from pointsman.doctor.store import judge_file_system
from pointsman.store.sqlite import soundness
from pointsman.store.sqlite.mounts import network_file_system

MOUNTS = r"""
22 1 0:5 / / rw,relatime shared:1 - overlay overlay rw,lowerdir=/a - b
30 22 0:40 / /data rw,relatime master:4 - ext4 /dev/sdb1 rw
31 30 0:41 / /data/share rw,relatime - nfs4 10.0.0.1:/export rw,vers=4.2
32 22 0:42 / /mnt/with\040space rw - cifs //host/share rw
33 22 0:43 / /over rw - nfs server:/a rw
34 33 0:44 / /over rw - ext4 /dev/sdc rw
35 22 0:45 / /home/host rw - virtiofs host rw
36 22 0:46 / /mem rw - tmpfs tmpfs rw
broken line
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/", ""),
        ("/data", ""),
        ("/data/share", "nfs4"),
        ("/data/share/deeper", "nfs4"),
        ("/data/shared", ""),
        ("/mnt/with space/x", "cifs"),
        ("/over/store", ""),
        ("/home/host", "virtiofs"),
        ("/mem", ""),
    ],
)
def test_a_folder_is_on_the_mount_that_is_nearest(folder: str, kind: str) -> None:
    assert network_file_system(Path(folder), MOUNTS) == kind
    assert network_file_system(Path(folder), "") == ""


def test_this_folder_can_be_asked_about(tmp_path: Path) -> None:
    assert isinstance(network_file_system(tmp_path), str)


@pytest.mark.parametrize("kind", ["", "nfs4"])
def test_a_start_warns_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setattr(soundness, "network_file_system", lambda _folder: kind)
    with capture_logs() as lines:
        soundness.must_have_folder(tmp_path / "pointsman.db")
    assert [(line["file_system"], line["log_level"]) for line in lines] == (
        [("nfs4", "warning")] if kind else []
    )


def test_the_doctor_names_a_cure() -> None:
    assert list(judge_file_system("", "/data")) == []
    [finding] = judge_file_system("nfs4", "/data")
    assert finding.level is Level.WARN
    assert "nfs4" in finding.words
    assert "PostgreSQL" in finding.cure
