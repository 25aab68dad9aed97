"""The tree of errors: every exception of the daemon stands in it, under what the caller does."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator

import pointsman
from pointsman.domain import errors
from pointsman.domain.errors import Bug, Pause, PointsmanError, Refuse, Retry

BRANCHES = (Retry, Pause, Refuse, Bug)


def exceptions() -> Iterator[type[BaseException]]:
    """Every exception class of the daemon, wherever it is defined."""
    for module_info in pkgutil.walk_packages(pointsman.__path__, "pointsman."):
        if module_info.name.startswith("pointsman.emulator") or module_info.name.endswith(
            "__main__"
        ):
            continue
        module = importlib.import_module(module_info.name)
        for _, defined in inspect.getmembers(module, inspect.isclass):
            if issubclass(defined, BaseException) and defined.__module__ == module.__name__:
                yield defined


def drawn() -> dict[str, str]:
    """The parent of each error, as the docstring of the module draws it."""
    parents: dict[str, str] = {}
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        indent, mark, text = line.partition("── ")
        depth = len(indent) // 4 if mark else 0
        name = (text if mark else line).split()[:1]
        if not name or not (mark or name == ["PointsmanError"]):
            continue
        path[depth:] = name
        if depth:
            parents[name[0]] = path[depth - 1]
    return parents


def test_every_exception_says_what_its_caller_does() -> None:
    roots = {PointsmanError, *BRANCHES}
    strays = [
        error.__qualname__
        for error in exceptions()
        if error not in roots and not issubclass(error, BRANCHES)
    ]
    assert strays == []


def test_an_exception_stands_in_one_branch_only() -> None:
    for error in exceptions():
        assert sum(issubclass(error, branch) for branch in BRANCHES) <= 1, error


def test_the_tree_is_drawn_as_it_is() -> None:
    public = {
        error.__name__: error.__base__.__name__
        for error in exceptions()
        if not error.__name__.startswith("_") and error.__base__ and error is not PointsmanError
    }
    assert drawn() == public
