"""URI templates of RFC 6570 level 1, used backwards: an activity's id in, its variables out.

Level 1 is `{name}` and nothing more. Backwards there is one rule that the RFC does not need: a
variable stands for one or more characters other than `/`, `?` and `#`, so that it never swallows
the rest of a path. Percent-encoded characters are decoded on the way.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote, unquote

_PIECE = re.compile(r"\{([^{}]*)\}|([^{}]+)|([{}])")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_VALUE = r"([^/?#]+)"


class Template:
    """One template. `str(template)` is the text it was made from."""

    __slots__ = ("_parts", "_pattern", "text", "variables")

    def __init__(self, text: str) -> None:
        """Parse; raises `ValueError` with what is wrong and where, in words for a person."""
        self.text = text
        #: literals as they stand, variables as their names; variables at odd places
        self._parts: list[str] = [""]
        names: list[str] = []
        for found in _PIECE.finditer(text):
            name, literal, stray = found.groups()
            if stray is not None:
                raise ValueError(f"{text!r} has a {stray!r} without its partner")
            if literal is not None:
                self._parts[-1] += literal
                continue
            if not _NAME.match(name):
                raise ValueError(
                    f"{text!r}: {{{name}}} is not a plain variable; write {{name}} with letters, "
                    "digits and _ (RFC 6570 level 1)"
                )
            if name in names:
                raise ValueError(f"{text!r} names {{{name}}} twice")
            if names and self._parts[-1] == "":
                raise ValueError(
                    f"{text!r}: {{{names[-1]}}}{{{name}}} stand side by side, so nothing tells "
                    "where one ends"
                )
            names.append(name)
            self._parts += [name, ""]
        self.variables = tuple(names)
        self._pattern = re.compile(
            "".join(
                _VALUE if place % 2 else re.escape(part) for place, part in enumerate(self._parts)
            )
        )

    def match(self, uri: str) -> dict[str, str] | None:
        """The variables that make this template into `uri`, or None."""
        found = self._pattern.fullmatch(uri)
        if found is None:
            return None
        return dict(zip(self.variables, map(unquote, found.groups()), strict=True))

    def fill(self, values: Mapping[str, str]) -> str:
        """The text with the values as they are: for ids and slugs, which are no URIs."""
        return "".join(
            values[part] if place % 2 else part for place, part in enumerate(self._parts)
        )

    def expand(self, values: Mapping[str, str]) -> str:
        """The URI of RFC 6570 section 3.2.2: everything but unreserved characters is encoded."""
        return self.fill({name: quote(values[name], safe="") for name in self.variables})

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Template({self.text!r})"
