"""`pointsman doctor` names a folder of the store that this user can't use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pointsman.commands.doctor.store import StoreExamination, examine_store
from pointsman.config import load
from pointsman.doctor import Finding, Level
from pointsman.domain.clock import SystemClock
from tests.unit.test_config_changes import BASE


async def faults(folder: Path) -> list[Finding]:
    config = folder / "pointsman.toml"
    config.write_text(BASE)
    settings = load(config)
    async with StoreExamination.of(settings, SystemClock(), 5) as examined:
        rows = [row async for row in examine_store(settings, examined)]
    return [
        row
        for row in rows
        if isinstance(row, Finding) and row.level is Level.FAIL and row.check == "store"
    ]


async def test_a_folder_that_can_not_be_written_is_a_fault_before_there_is_a_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await faults(tmp_path) == []
    # whoever runs the tests may be allowed everything
    monkeypatch.setattr(os, "access", lambda _path, _mode: False)

    [fault] = await faults(tmp_path)

    assert "the folder is not writable" in fault.words
    assert "run this as that user" in fault.cure


async def test_a_folder_that_can_not_be_looked_into_is_a_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exists = Path.exists

    def may_not(path: Path) -> bool:
        if path.suffix == ".db":
            raise PermissionError(13, "Permission denied")
        return exists(path)

    monkeypatch.setattr(Path, "exists", may_not)

    [fault] = await faults(tmp_path)

    assert "can't be looked at: Permission denied" in fault.words
    assert "run this as that user" in fault.cure
