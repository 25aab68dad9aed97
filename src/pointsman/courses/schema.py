"""Finds where a course structure departs from cmi5's schema (section 13.2). Pure.

Packages in the field do depart, and can be launched all the same, so each is a warning.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pointsman.courses.xml_elements import Element


@dataclass(frozen=True, slots=True)
class _Children:
    """What an element holds, in this order; names that stand together may come in any order."""

    order: tuple[str, ...]
    required: frozenset[str] = frozenset()
    #: names that may come again
    many: frozenset[str] = frozenset()

    def rank(self, name: str) -> int | None:
        return next((rank for rank, names in enumerate(self.order) if name in names.split()), None)


_TEXTS = frozenset({"title", "description"})
_MEMBERS = frozenset({"au", "block"})
_LANGUAGES = _Children(("langstring",), frozenset({"langstring"}), frozenset({"langstring"}))
_OBJECTIVES = _Children(("objective",), frozenset({"objective"}), frozenset({"objective"}))
_CHILDREN = {
    "courseStructure": _Children(
        ("course", "objectives", "au block"), frozenset({"course"}), _MEMBERS
    ),
    "course": _Children(("title", "description"), _TEXTS),
    "block": _Children(("title", "description", "objectives", "au block"), _TEXTS, _MEMBERS),
    "au": _Children(
        ("title", "description", "objectives", "url", "launchParameters", "entitlementKey"),
        frozenset({*_TEXTS, "url"}),
    ),
    "objectives": _OBJECTIVES,
    "title": _LANGUAGES,
    "description": _LANGUAGES,
}


def departures(root: Element) -> Iterator[tuple[int, str]]:
    """(line, what) of each; elements of other namespaces may stand anywhere behind."""
    waiting = [root]
    while waiting:
        element = waiting.pop()
        own = [child for child in element.children if child.namespace == root.namespace]
        waiting += reversed(own)
        allowed = _CHILDREN.get(element.name)
        if allowed is not None:
            yield from _departures(element, own, allowed)


def _departures(
    element: Element, children: list[Element], allowed: _Children
) -> Iterator[tuple[int, str]]:
    last, last_name = 0, ""
    names: set[str] = set()
    for child in children:
        rank = allowed.rank(child.name)
        if rank is None:
            yield child.line, f"<{element.name}> holds no <{child.name}> (section 13.2)"
            continue
        if child.name in names and child.name not in allowed.many:
            yield child.line, f"<{element.name}> holds one <{child.name}> (section 13.2)"
        elif rank < last:
            yield (
                child.line,
                f"in <{element.name}>, <{child.name}> comes before <{last_name}> (section 13.2)",
            )
        names.add(child.name)
        if rank >= last:
            last, last_name = rank, child.name
    # a title that is missing is told where one is needed
    for name in sorted(allowed.required - names - {"title"}):
        yield element.line, f"<{element.name}> has no <{name}> (section 13.2)"
