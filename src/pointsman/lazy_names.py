"""Loads the modules of a package when one of their names is used, so that a command starts soon."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any


def lazily(package: str, names: Mapping[str, Sequence[str]]) -> Callable[[str], Any]:
    """The `__getattr__` of a package (PEP 562); `names` are those of each of its modules.

    The package imports the same names for type checkers, under `if TYPE_CHECKING`.
    """
    places = {name: module for module, of_module in names.items() for name in of_module}

    def load(name: str) -> Any:
        if name not in places:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(f"{package}.{places[name]}"), name)

    return load
