"""Named SQL: a `.sql` file of statements, each under a `-- name:` line, as a dictionary."""

from __future__ import annotations

import re
from importlib.resources import files

_NAME = re.compile(r"^-- name: ([a-z_]+)\n", re.MULTILINE)


def load(package: str, resource: str) -> dict[str, str]:
    """The statements of `resource` in `package`, by name."""
    text = files(package).joinpath(resource).read_text(encoding="utf-8")
    _, *pieces = _NAME.split(text)
    return {
        name: body.strip().removesuffix(";")
        for name, body in zip(pieces[::2], pieces[1::2], strict=True)
    }
