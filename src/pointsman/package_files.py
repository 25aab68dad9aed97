"""What was put into the package when it was built: its commit, and the pages of the docs.

In a checkout, which nobody has built, they are read where they are.
"""

from __future__ import annotations

import subprocess
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

#: characters of a commit that are shown
_SHORT = 12


def commit() -> str:
    """The commit that this was built of, short; "" where nobody knows."""
    file = files("pointsman").joinpath("commit.txt")
    if file.is_file():
        return file.read_text(encoding="utf-8").strip()[:_SHORT]
    root = Path(__file__).parents[2]
    if not (root / ".git").exists():
        return ""
    command = ["git", "-C", str(root), "rev-parse", f"--short={_SHORT}", "HEAD"]
    try:
        # what git is, is the machine's to say
        done = subprocess.run(command, capture_output=True, check=True, text=True)  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()


def pages() -> dict[str, str]:
    """The pages of the docs by name, as in `players/cmi5`: Markdown."""
    packed = files("pointsman").joinpath("pages")
    folder: Traversable = packed if packed.is_dir() else Path(__file__).parents[2] / "docs"
    return dict(_pages(folder, "")) if folder.is_dir() else {}


def _pages(folder: Traversable, prefix: str) -> list[tuple[str, str]]:
    pages_here: list[tuple[str, str]] = []
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            pages_here += _pages(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith(".md"):
            text = entry.read_text(encoding="utf-8")
            pages_here.append((f"{prefix}{entry.name.removesuffix('.md')}", text))
    return pages_here
