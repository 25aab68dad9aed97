"""Parses XML into elements that know their line: no DTD, no entities, and limits on all.

A package comes from a stranger. Without a DTD there is no entity to expand, so nothing grows; what
is left is bounded by the size of the text.
"""

from __future__ import annotations

from dataclasses import dataclass, field

# DTDs are refused before any entity could be declared
from xml.parsers import expat

from pointsman.domain.errors import InputRefused

_MAX_DEPTH = 64
_MAX_ELEMENTS = 200_000


@dataclass(slots=True)
class Element:
    """`text` is what stands before its first child and between them."""

    name: str
    namespace: str
    attributes: dict[str, str]
    line: int
    children: list[Element] = field(default_factory=list)
    text: str = ""

    def first(self, name: str, namespace: str) -> Element | None:
        for child in self.children:
            if (child.name, child.namespace) == (name, namespace):
                return child
        return None


def parse_xml(content: bytes, name: str) -> Element:
    """The root. Raises `InputRefused` with `name` and the line."""
    builder = _Builder(name)
    try:
        builder.parser.Parse(content, True)  # noqa: FBT003 - expat takes no names
    except expat.ExpatError as error:
        words = expat.errors.messages[error.code]
        raise InputRefused(f"{name}, line {error.lineno}: is no XML: {words}") from None
    if builder.root is None:
        raise InputRefused(f"{name}: is no XML: there is no element")
    return builder.root


class _Builder:
    def __init__(self, name: str) -> None:
        self._name = name
        self._open: list[Element] = []
        self._texts: list[list[str]] = []
        self._count = 0
        self.root: Element | None = None
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters

    def _doctype(self, *_: object) -> None:
        raise self._refused("has a DOCTYPE; a course structure needs none, and it is not read")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if self._count > _MAX_ELEMENTS:
            raise self._refused(f"has more than {_MAX_ELEMENTS} elements")
        if len(self._open) >= _MAX_DEPTH:
            raise self._refused(f"is nested deeper than {_MAX_DEPTH}")
        namespace, _, local = name.rpartition(" ")
        element = Element(local, namespace, attributes, self.parser.CurrentLineNumber)
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element
        self._open.append(element)
        self._texts.append([])

    def _end(self, _name: str) -> None:
        self._open.pop().text = "".join(self._texts.pop())

    def _characters(self, data: str) -> None:
        if self._texts:
            self._texts[-1].append(data)

    def _refused(self, why: str) -> InputRefused:
        return InputRefused(f"{self._name}, line {self.parser.CurrentLineNumber}: {why}")
