"""Ways in which a file gets another content; each returns the path that is read."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

_NAME = "secret"


def in_place(folder: Path, text: str) -> Path:
    """As `>` of a shell does."""
    path = folder / _NAME
    path.write_text(text)
    return path


def rename_over(folder: Path, text: str) -> Path:
    """As a careful program does."""
    beside = folder / f"{_NAME}.new"
    beside.write_text(text)
    return beside.replace(folder / _NAME)


def turn_data_link(folder: Path, text: str, name: str = _NAME) -> Path:
    """As the kubelet does for a mounted Secret: `..data` is turned, the old folder removed."""
    before = (folder / "..data").resolve() if (folder / "..data").is_symlink() else None
    number = 1 if before is None else int(before.name.removeprefix("..v")) + 1
    version = folder / f"..v{number}"
    version.mkdir()
    (version / name).write_text(text)
    (folder / "..data_tmp").symlink_to(version.name)
    (folder / "..data_tmp").replace(folder / "..data")
    if before is None:
        (folder / name).symlink_to(f"..data/{name}")
    else:
        shutil.rmtree(before)
    return folder / name


def the_same_size_at_the_same_time(folder: Path, text: str) -> Path:
    """As a tool does that restores the time of change."""
    path = in_place(folder, text)
    os.utime(path, (1_700_000_000, 1_700_000_000))
    return path
