"""The code in the pages: spans in backticks, and lines of fenced blocks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`]+)`")


@dataclass(frozen=True)
class Code:
    """A span, or a block with its language."""

    page: str
    text: str
    language: str | None = None


def pages() -> dict[str, str]:
    """Every page that is held to the product, by its path; of the changelog the newest part."""
    paths = [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        *sorted((ROOT / "docs").rglob("*.md")),
        *sorted((ROOT / "deploy").rglob("*.md")),
    ]
    texts = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in paths}
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = re.split(r"^## (?!\[Unreleased\])", changes, maxsplit=1, flags=re.MULTILINE)[0]
    return texts | {"CHANGELOG.md": newest}


def code() -> Iterator[Code]:
    for page, text in pages().items():
        for match in _FENCE.finditer(text):
            yield Code(page, match[2], match[1])
        prose = _FENCE.sub("", text)
        for match in _SPAN.finditer(prose):
            yield Code(page, " ".join(match[1].split()))


def command_lines() -> Iterator[tuple[str, str]]:
    """(page, line) of everything that may be typed, continued lines joined."""
    for one in code():
        if one.language in {None, "sh", "", "yaml", "text"}:
            for line in one.text.replace("\\\n", " ").splitlines():
                yield one.page, line
