"""Puts into the package what it can't know by itself: the commit, and the pages for `help`."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

#: in the package
COMMIT, PAGES = "commit.txt", "pages"


class PackageHook(BuildHookInterface[Any]):
    """Runs for the wheel. Of an sdist it finds the commit in the file that the sdist has."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add files to the build. An editable install has the checkout itself."""
        root = Path(self.root)
        if version == "editable":
            return
        made = Path(tempfile.mkdtemp(prefix="pointsman-")) / COMMIT
        made.write_text(f"{commit_of(root)}\n", encoding="utf-8")
        if self.target_name == "sdist":
            build_data["force_include"][str(made)] = COMMIT
            return
        build_data["force_include"][str(made)] = f"pointsman/{COMMIT}"
        for page in sorted((root / "docs").rglob("*.md")):
            name = page.relative_to(root / "docs").as_posix()
            build_data["force_include"][str(page)] = f"pointsman/{PAGES}/{name}"


def commit_of(root: Path) -> str:
    """The environment's POINTSMAN_COMMIT, that of an sdist, or git's; "" where nobody knows."""
    if commit := os.environ.get("POINTSMAN_COMMIT", "").strip():
        return commit
    if (file := root / COMMIT).exists():
        return file.read_text(encoding="utf-8").strip()
    command = ["git", "-C", str(root), "rev-parse", "HEAD"]
    try:
        done = subprocess.run(command, capture_output=True, check=True, text=True)  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()
