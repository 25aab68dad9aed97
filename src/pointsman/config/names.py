"""What a source may be called."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

_NAME = re.compile(r"[a-z0-9_-]{1,64}")
_TAKEN = {"launch": "what launched players say", "import": "what pointsman import reads"}


def _source_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError("must be 1-64 characters of a-z, 0-9, _ and -: it labels metrics")
    if name in _TAKEN:
        raise ValueError(f"is the name of {_TAKEN[name]}; give it another one")
    return name


SourceName = Annotated[str, AfterValidator(_source_name)]
