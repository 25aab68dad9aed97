"""How much of a long table a run tries: all of it where POINTSMAN_TEST_THOROUGH is set."""

from __future__ import annotations

import os
from typing import TypeVar

T = TypeVar("T")


def thorough(everything: T, *, otherwise: T) -> T:
    """Everything, if the run is to be thorough; CI's minutes are for what finds most."""
    return everything if os.environ.get("POINTSMAN_TEST_THOROUGH") else otherwise
