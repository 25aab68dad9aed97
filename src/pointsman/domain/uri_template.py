"""Matches activity ids against URI templates (RFC 6570 level 1) and finds their variables.

RFC 6570 goes from variables to a URI; this goes backwards.

Level 1 is `{name}` and nothing more. Backwards there is one rule that the RFC does not need: a
variable stands for one or more characters other than `/`, `?` and `#`, so that it never swallows
the rest of a path. Percent-encoded characters are decoded on the way.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from urllib.parse import quote, unquote

_TOKEN = re.compile(r"\{([^{}]*)\}|([^{}]+)|([{}])")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_NOT_IN_A_VALUE = re.compile(r"[/?#]")


def decoded(values: Mapping[str, str]) -> dict[str, str]:
    """Variables with their percent-encoded characters decoded."""
    return {name: unquote(value) for name, value in values.items()}


def _marks() -> Iterator[str]:
    """Texts of lower-case letters and digits, which are the same wherever they stand in a URI."""
    return (f"zq{number}q" for number in count())


class Template:
    """One template. `str(template)` is the text it was made from."""

    __slots__ = ("_parts", "text", "variables")

    def __init__(self, text: str) -> None:
        """Parse; raises `ValueError` with what is wrong and where, in words for a person."""
        self.text = text
        #: literals as they stand, variables as their names; variables at odd places
        self._parts: list[str] = [""]
        names: list[str] = []
        for token in _TOKEN.finditer(text):
            name, literal, stray = token.groups()
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
                    f"{text!r}: {{{names[-1]}}}{{{name}}} are side by side, so nothing tells "
                    "where one ends"
                )
            names.append(name)
            self._parts += [name, ""]
        self.variables = tuple(names)

    def match(self, uri: str) -> dict[str, str] | None:
        """The variables that make this template into `uri`, decoded, or None."""
        parts = self.take_apart(uri)
        return None if parts is None else decoded(parts)

    def take_apart(self, uri: str) -> dict[str, str] | None:
        """As `match`, with the variables as they are written in `uri`.

        Where a literal is in `uri` more than once, its last place counts, so that there is
        nothing to try twice: the sender chooses the id, and must not choose how long this takes.
        """
        first, *_ = self._parts
        last = self._parts[-1]
        if not self.variables:
            return {} if uri == first else None
        if not uri.startswith(first) or not uri.endswith(last):
            return None
        end = len(uri) - len(last)
        values: dict[str, str] = {}
        for place in range(len(self._parts) - 2, 0, -2):
            literal = self._parts[place - 1]
            start = len(first) if place == 1 else uri.rfind(literal, 0, max(0, end - 1))
            value = uri[start + (len(literal) if place > 1 else 0) : end]
            if start < 0 or not value or _NOT_IN_A_VALUE.search(value):
                return None
            values[self._parts[place]] = value
            end = start
        return {name: values[name] for name in self.variables}

    def fill(self, values: Mapping[str, str]) -> str:
        """The text with the values as they are: for ids and slugs, which are no URIs."""
        return "".join(
            [values[part] if place % 2 else part for place, part in enumerate(self._parts)]
        )

    def expand(self, values: Mapping[str, str]) -> str:
        """The URI of RFC 6570 section 3.2.2: everything but unreserved characters is encoded."""
        return self.fill({name: quote(values[name], safe="") for name in self.variables})

    def rewritten(self, rewrite: Callable[[str], str]) -> Template | None:
        """The template of what `rewrite` makes of the URIs of this one; None where it has none.

        There is none where `rewrite` takes away, doubles or changes what a variable stands for.
        """
        mark = next(mark for mark in _marks() if mark not in self.text)
        marked = self.fill({name: f"{mark}{place}z" for place, name in enumerate(self.variables)})
        text = rewrite(marked).replace("{", "%7B").replace("}", "%7D")
        for place, name in enumerate(self.variables):
            text = text.replace(f"{mark}{place}z", f"{{{name}}}")
        try:
            template = Template(text)
        except ValueError:
            return None
        return template if template.variables == self.variables else None

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Template({self.text!r})"
