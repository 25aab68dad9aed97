"""CONTRIBUTING.md and docs/design.md name only files and functions that exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "pointsman"
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()
DESIGN = (ROOT / "docs" / "design.md").read_text()


def section(title: str) -> str:
    return re.split(r"^## ", CONTRIBUTING.partition(f"## {title}\n")[2], flags=re.MULTILINE)[0]


def rows(text: str) -> list[list[str]]:
    """The cells of the tables in a text, without their headings."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if row[0] and not set(row[0]) <= {"-", " "}]


def paths(text: str) -> list[str]:
    """What a text names that looks like a file or folder of the code."""
    return re.findall(r"`((?:[a-z0-9_]+/)*[a-z0-9_]+(?:\.py|/))`", text)


def defined(file: str) -> set[str]:
    """Classes, functions, and methods by their class too."""
    names: set[str] = set()
    for node in ast.walk(ast.parse((SOURCE / file).read_text())):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            names.add(node.name)
        if isinstance(node, ast.ClassDef):
            functions = (ast.FunctionDef, ast.AsyncFunctionDef)
            names |= {f"{node.name}.{one.name}" for one in node.body if isinstance(one, functions)}
    return names


@pytest.mark.parametrize("row", rows(section("Ten questions"))[1:], ids=lambda row: row[0])
def test_each_question_has_its_answer_where_the_map_says(row: list[str]) -> None:
    _, file, answer = row
    name = re.match(r"`([\w.]+)`", answer)

    assert name is not None
    assert name[1] in defined(file.strip("`"))


@pytest.mark.parametrize(
    "path",
    sorted({*paths(section("Ten questions")), *paths(section("Recipes"))} - {"settings.py"}),
)
def test_questions_and_recipes_name_files_that_exist(path: str) -> None:
    new = path.startswith("sources/sqs/")  # that recipe's own

    assert new or any((base / path).exists() for base in (SOURCE, ROOT))


def test_the_map_names_every_part_of_the_package() -> None:
    parts = {
        entry.name if entry.suffix else f"{entry.name}/"
        for entry in SOURCE.iterdir()
        if not entry.name.startswith("__") and entry.suffix in {"", ".py"}
    }

    assert parts - set(paths(section("The map of the code"))) == set()


def test_the_design_names_modules_that_exist() -> None:
    folders = DESIGN.partition("| folder |")[2].partition("\n\n")[0]
    missing = [
        f"{row[0]} {module}"
        for row in rows(folders)
        for module in re.findall(r"`([\w/]+)`", " ".join(row[2:]))
        if not any(
            (SOURCE / row[0].strip("`") / f"{module}{suffix}").exists() for suffix in ("", ".py")
        )
    ]

    assert missing == []
