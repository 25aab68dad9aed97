"""Loads named SQL: a `.sql` file of statements, each under a `-- name:` line, as a dictionary."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.resources import files

_NAME = re.compile(r"^-- name: ([a-z_]+)\n", re.MULTILINE)
_FRAGMENT = re.compile(r"\{([a-z_]+)\}")


def load(package: str, resource: str, fragments: Mapping[str, str] | None = None) -> dict[str, str]:
    """The statements of `resource` in `package`, by name.

    `{name}` in a statement becomes the fragment of that name: a list of columns that code knows.
    """
    text = files(package).joinpath(resource).read_text(encoding="utf-8")
    filled = _FRAGMENT.sub(lambda match: (fragments or {})[match[1]], text)
    _, *pieces = _NAME.split(filled)
    return {
        name: body.strip().removesuffix(";")
        for name, body in zip(pieces[::2], pieces[1::2], strict=True)
    }
