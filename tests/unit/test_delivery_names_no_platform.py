"""The core knows a platform by its seam only: neither its name, nor a status code of HTTP."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import pointsman

SOURCE = Path(pointsman.__file__).parent
NAME = r"helium"
STATUS = r"http\.?status|\bHTTP [45]\d\d\b|\b(401|403|429|503)\b"
#: telemetry counts the answers of the service itself, which have status codes too
WORDS = {
    **dict.fromkeys(("delivery", "store", "mapping", "domain"), f"{NAME}|{STATUS}"),
    "telemetry": NAME,
}


@pytest.mark.parametrize(("stage", "words"), WORDS.items())
def test_the_core_names_no_platform(stage: str, words: str) -> None:
    naming = {
        f"{path.relative_to(SOURCE)}:{number}"
        for path in (SOURCE / stage).rglob("*.py")
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if re.search(words, line, re.IGNORECASE)
    }
    assert naming == set()
