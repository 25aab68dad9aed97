"""Pages, messages and help are in the words that people use today."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
#: what is seldom said today, or not in this sense, and what is said
OLD = {
    r"mend(s|ed|ing)?": "correct, repair, remove the cause",
    "anew": "again",
    "who(m|se)?(so)?ever": "anybody who; or name who it is",
    r"told (by|from|in|of|with|once|within)": "reported, distinguished, said",
    r"(is|are|was|were|can be|not|what) told(?! to)": "reported, logged, shown",
    # an abbreviation stands for something, and somebody on call stands by
    r"stands?(?! (for|by)\b)": "is, is there; where it stands: current state",
    "shall": "will, must",
    "heard": "received, noticed",
    "lest|upon|hence|thereof|whence|amid|unto|ere|thus": "a usual word",
}
FORBIDDEN = re.compile(rf"\b({'|'.join(OLD)})\b", re.IGNORECASE)
#: English that says what is meant
ALLOWED = re.compile(r"the sender was told the error_id")
PAGES = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "deploy/**/*.md", "config.example.toml")
    for path in ROOT.glob(pattern)
)
MODULES = sorted((ROOT / "src").rglob("*.py"))
TEMPLATES = sorted((ROOT / "src").rglob("*.html"))


def old_words(text: str) -> Iterator[str]:
    """Each with the line that it is on."""
    for line in text.splitlines():
        for found in FORBIDDEN.finditer(ALLOWED.sub("", line)):
            yield f"{found[0]!r} in: {line.strip()[:110]}"


def messages(path: Path) -> Iterator[str]:
    """Texts of a module that are shown to somebody; of docstrings those of commands alone."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    is_command = "cli" in path.parts
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
        and not (is_command and isinstance(node, ast.FunctionDef) and not node.name.startswith("_"))
    }
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in docstrings
        ):
            yield node.value


@pytest.mark.parametrize("folder", ["", "docs", "deploy", "src"])
def test_pages_are_in_usual_words(folder: str) -> None:
    pages = [
        path
        for path in (*PAGES, *TEMPLATES)
        if path.relative_to(ROOT).parts[:-1][:1] == ((folder,) if folder else ())
    ]
    assert pages
    found = [
        f"{path.relative_to(ROOT)}: {word}"
        for path in pages
        for word in old_words(path.read_text(encoding="utf-8"))
    ]
    assert found == [], "\n".join(found)


def test_messages_and_help_are_in_usual_words() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {word}"
        for path in MODULES
        for message in messages(path)
        for word in old_words(message)
    ]
    assert found == [], "\n".join(found)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("mend it, then decide anew", 2),
        ("whoever asks is told of it, and hears where it stands", 3),
        ("the letters stand for a name; the kind standard; amendment; the tests told us", 0),
    ],
)
def test_old_words_are_found_and_others_are_not(text: str, count: int) -> None:
    assert len(list(old_words(text))) == count
