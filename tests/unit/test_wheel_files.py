"""What the package needs beside its modules is in the package, and the wheel takes all of it."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "src" / "pointsman" / "operator_page"
FILES = sorted(
    path.relative_to(ROOT / "src" / "pointsman").as_posix()
    for folder in ("templates", "static")
    for path in (PAGE / folder).iterdir()
)


def test_the_wheel_takes_whole_folders_of_the_package() -> None:
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    hook = {"custom": {"path": "hatch_build.py"}}
    assert wheel["targets"]["wheel"] == {"packages": ["src/pointsman"], "hooks": hook}
    assert "exclude" not in wheel
    # hatch leaves out what git ignores
    ignored = (ROOT / ".gitignore").read_text().split()
    assert not {"*.html", "*.css", "*.js", "*.svg", "static", "static/", "templates/"} & set(
        ignored
    )


@pytest.mark.parametrize("name", [*FILES, "sources/http/receipt.html"])
def test_a_file_of_a_page_is_found_in_the_package(name: str) -> None:
    assert files("pointsman").joinpath(name).is_file()


def test_there_are_templates_and_what_they_load() -> None:
    assert "operator_page/templates/base.html" in FILES
    assert {"operator_page/static/app.css", "operator_page/static/app.js"} <= set(FILES)
