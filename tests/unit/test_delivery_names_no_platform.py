"""The core knows a platform by its seam only: neither its name, nor a status code of HTTP."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import pointsman

SOURCE = Path(pointsman.__file__).parent
WORDS = re.compile(r"helium|http\.?status|\bHTTP [45]\d\d\b|\b(401|403|429|503)\b", re.IGNORECASE)


@pytest.mark.parametrize("stage", ["delivery", "store", "mapping", "domain", "telemetry"])
def test_the_core_names_no_platform(stage: str) -> None:
    naming = {
        f"{path.relative_to(SOURCE)}:{number}"
        for path in (SOURCE / stage).rglob("*.py")
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if WORDS.search(line)
    }
    assert naming == set()
