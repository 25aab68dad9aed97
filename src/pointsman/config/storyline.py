"""Counts the slides in tincan.xml of a Storyline export. Errors name the file and the line."""

from __future__ import annotations

from pathlib import Path
from xml.parsers import expat

from pointsman.domain.uri_template import Template

#: larger than any course's
_MAX_BYTES = 10_000_000
#: what learners answer, or aim at, and the course that all is in; the last part of the type
_NO_SLIDES = frozenset({"course", "cmi.interaction", "question", "objective"})


def count_slides(path: Path, activity: str) -> int:
    """How many of the export's activities the template `activity` matches and are slides.

    Raises:
        ValueError: with the file, and the line where there is one to name.
    """
    slides: set[str] = set()
    others: list[tuple[str, int]] = []
    template = Template(activity)
    for name, kind, line in _activities(path):
        if template.match(name) is None:
            others.append((name, line))
        elif kind.rpartition("/")[2] not in _NO_SLIDES:
            slides.add(name)
    if slides:
        return len(slides)
    if others:
        name, line = others[0]
        raise ValueError(
            f"{path} has no slide that matches activity; line {line} has {name!r}, for instance"
        )
    raise ValueError(f"{path} has no <activity> that is a slide")


def _activities(path: Path) -> list[tuple[str, str, int]]:
    """(id, type, line) of every activity."""
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise ValueError(f"{path} can't be read: {error.strerror}") from None
    if len(content) > _MAX_BYTES:
        raise ValueError(f"{path} is larger than {_MAX_BYTES:,} bytes")
    activities: list[tuple[str, str, int]] = []
    # names come without the namespace's prefix: "http://projecttincan.com/tincan.xsd activity"
    parser = expat.ParserCreate(namespace_separator=" ")

    def start(name: str, attributes: dict[str, str]) -> None:
        if name.rpartition(" ")[2] != "activity":
            return
        line = parser.CurrentLineNumber
        if not attributes.get("id"):
            raise ValueError(f"{path}, line {line}: <activity> has no id")
        activities.append((attributes["id"], attributes.get("type", ""), line))

    def refuse(*_declaration: object) -> None:
        # an export has none, and entities can be made to grow without end
        raise ValueError(f"{path}, line {parser.CurrentLineNumber}: a DOCTYPE is not allowed")

    parser.StartElementHandler = start
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(content, True)  # noqa: FBT003 - expat takes no names here
    except expat.ExpatError as error:
        words = expat.ErrorString(error.code)
        raise ValueError(f"{path}, line {error.lineno}: is no XML ({words})") from None
    return activities
