"""The pictures in the pages are those that their source draws."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

SITE = Path(__file__).parents[2] / "deploy" / "site"
PICTURES = list(runpy.run_path(str(SITE / "pictures.py"))["pictures"]())


@pytest.mark.parametrize(("path", "content"), PICTURES, ids=[path.name for path, _ in PICTURES])
def test_a_picture_is_as_its_source_draws_it(path: Path, content: str) -> None:
    assert path.read_text(encoding="utf-8") == content, "run: python deploy/site/pictures.py"
