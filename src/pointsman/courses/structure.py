"""Reads a cmi5 course structure (section 13) from its XML elements into records. Pure.

What makes a unit impossible to launch is refused with its line; what only departs from the schema
is a warning, for packages in the field do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from pointsman.courses.schema import departures
from pointsman.courses.xml_elements import Element
from pointsman.domain.errors import InputRefused
from pointsman.domain.iri import web_address_problem
from pointsman.domain.launch import launch_url_problem

NAMESPACE = "https://w3id.org/xapi/profiles/cmi5/v1/CourseStructure.xsd"
MOVE_ON = ("Passed", "Completed", "CompletedAndPassed", "CompletedOrPassed", "NotApplicable")
LAUNCH_METHODS = ("AnyWindow", "OwnWindow")
#: units and blocks of one course
_MAX_MEMBERS = 5_000
_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20<>\"|\\^`\x7f]+")


@dataclass(frozen=True, slots=True)
class AssignableUnit:
    """What is launched (section 13.1.4)."""

    #: the publisher's own, unaltered
    id: str
    title: str
    #: absolute, or relative to the package
    url: str
    line: int
    move_on: str = "NotApplicable"
    mastery_score: float | None = None
    launch_method: str = "AnyWindow"
    launch_parameters: str | None = None
    entitlement_key: str | None = None
    activity_type: str | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """Units and blocks in their order (section 13.1.2)."""

    id: str
    title: str
    line: int
    members: tuple[AssignableUnit | Block, ...]


@dataclass(frozen=True, slots=True)
class CourseStructure:
    """A whole course; `warnings` name their line."""

    id: str
    title: str
    members: tuple[AssignableUnit | Block, ...]
    warnings: tuple[str, ...] = ()

    def units(self) -> Iterator[tuple[AssignableUnit, tuple[Block, ...]]]:
        """Every unit in order, with the blocks that it is in, the outermost first."""
        yield from _units(self.members, ())


class CourseReader:
    """Reads one structure; `name` is what messages call the file."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lines: dict[str, int] = {}
        self.warnings: list[str] = []

    def course(self, root: Element) -> CourseStructure:
        """Raises `InputRefused` with file and line."""
        if root.name != "courseStructure" or root.namespace != NAMESPACE:
            raise self._refused(
                root, f"the root is <{root.name}>, not cmi5's <courseStructure> ({NAMESPACE})"
            )
        course = root.first("course", NAMESPACE)
        if course is None:
            raise self._refused(root, "there is no <course>")
        parsed = CourseStructure(self._id(course), self._title(course), self._members(root))
        self._check_objectives(root)
        for line, what in departures(root):
            self.warnings.append(f"{self._name}, line {line}: {what}")
        if not parsed.members:
            raise self._refused(root, "there is no <au> and no <block>: nothing can be launched")
        return CourseStructure(parsed.id, parsed.title, parsed.members, tuple(self.warnings))

    def _members(self, parent: Element) -> tuple[AssignableUnit | Block, ...]:
        members: list[AssignableUnit | Block] = []
        for child in parent.children:
            if child.namespace != NAMESPACE:
                continue
            if child.name == "au":
                members.append(self._unit(child))
            elif child.name == "block":
                members.append(self._block(child))
        return tuple(members)

    def _block(self, element: Element) -> Block:
        block = Block(self._id(element), self._title(element), element.line, self._members(element))
        if not block.members:
            self._warn(element, f"the block {block.id} has no units")
        return block

    def _unit(self, element: Element) -> AssignableUnit:
        return AssignableUnit(
            id=self._id(element),
            title=self._title(element),
            url=self._url(element),
            line=element.line,
            move_on=self._one_of(element, "moveOn", MOVE_ON) or "NotApplicable",
            mastery_score=self._mastery_score(element),
            launch_method=self._one_of(element, "launchMethod", LAUNCH_METHODS) or "AnyWindow",
            launch_parameters=_text(element, "launchParameters"),
            entitlement_key=_text(element, "entitlementKey"),
            activity_type=element.attributes.get("activityType", "").strip() or None,
        )

    def _id(self, element: Element) -> str:
        identifier = element.attributes.get("id", "").strip()
        if not identifier:
            raise self._refused(element, f"<{element.name}> has no id")
        if not _IRI.fullmatch(identifier):
            raise self._refused(
                element, f"the id {identifier[:200]!r} is no absolute IRI, such as https://…"
            )
        # the course may share its id with its one unit: they name different things
        if element.name != "course":
            if (known := self._lines.get(identifier)) is not None:
                raise self._refused(element, f"the id {identifier[:200]} is in line {known} too")
            self._lines[identifier] = element.line
        if len(self._lines) > _MAX_MEMBERS:
            raise self._refused(element, f"there are more than {_MAX_MEMBERS} units and blocks")
        return identifier

    def _title(self, element: Element) -> str:
        title = element.first("title", NAMESPACE)
        texts = [] if title is None else [title, *title.children]
        for element_with_text in texts:
            if text := " ".join(element_with_text.text.split()):
                return text
        self._warn(element, f"<{element.name}> has no title; its id is used instead")
        return element.attributes.get("id", "").strip()

    def _url(self, element: Element) -> str:
        url = _text(element, "url")
        if url is None:
            raise self._refused(element, "<au> has no <url>")
        try:
            is_absolute = bool(urlsplit(url).scheme)
        except ValueError as error:
            raise self._refused(element, f"the url {url[:200]!r} is none: {error}") from None
        if is_absolute and (problem := web_address_problem(url)):
            raise self._refused(element, f"the url {url[:200]!r} {problem}")
        if problem := launch_url_problem(url):
            raise self._refused(element, f"the url {url[:200]!r} {problem}")
        return url

    def _check_objectives(self, root: Element) -> None:
        """Section 13.1.3. Nothing depends on them here, so what is wrong is a warning."""
        objectives = root.first("objectives", NAMESPACE)
        lines: dict[str, int] = dict(self._lines)
        for objective in objectives.children if objectives is not None else ():
            identifier = objective.attributes.get("id", "").strip()
            if not _IRI.fullmatch(identifier):
                self._warn(objective, f"the objective's id {identifier[:200]!r} is no absolute IRI")
            if (known := lines.get(identifier)) is not None:
                self._warn(objective, f"the id {identifier[:200]} is in line {known} too")
            lines[identifier] = objective.line

    def _mastery_score(self, element: Element) -> float | None:
        score = element.attributes.get("masteryScore", "").strip()
        if not score:
            return None
        if not re.fullmatch(r"[+-]?(\d{1,20}(\.\d{0,20})?|\.\d{1,20})", score) or not (
            0 <= float(score) <= 1
        ):
            raise self._refused(
                element, f"masteryScore is {score[:50]!r}, and must be a number from 0 to 1"
            )
        return float(score)

    def _one_of(self, element: Element, name: str, words: tuple[str, ...]) -> str | None:
        word = element.attributes.get(name, "").strip()
        if word and word not in words:
            raise self._refused(
                element, f"{name} is {word[:50]!r}, and must be one of {', '.join(words)}"
            )
        return word or None

    def _refused(self, element: Element, why: str) -> InputRefused:
        return InputRefused(f"{self._name}, line {element.line}: {why}")

    def _warn(self, element: Element, what: str) -> None:
        self.warnings.append(f"{self._name}, line {element.line}: {what}")


def _text(element: Element, name: str) -> str | None:
    child = element.first(name, NAMESPACE)
    return (child.text.strip() or None) if child is not None else None


def _units(
    members: tuple[AssignableUnit | Block, ...], within: tuple[Block, ...]
) -> Iterator[tuple[AssignableUnit, tuple[Block, ...]]]:
    for member in members:
        if isinstance(member, Block):
            yield from _units(member.members, (*within, member))
        else:
            yield member, within
