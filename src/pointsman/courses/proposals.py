"""Proposes rules and launches for a course, for a person to look over. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from pointsman.courses.structure import AssignableUnit, Block, CourseStructure

#: what a person puts the platform's own names in the place of
TOPIC, COURSE, LEARNER, TOKEN = "TOPIC-ID", "COURSE-SLUG", "LEARNER", "AUTH-TOKEN"
CONTENT = "https://CONTENT-HOST/"
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def launch_activity(publisher_id: str) -> str:
    """The activity that a unit is launched as: ever the same, and not the publisher's own id.

    cmi5 section 8.1.5. Braces, which a rule's template has a use for and an IRI has none, are
    percent-encoded.
    """
    plain = _literal_template(publisher_id)
    return f"{plain}/au" if "#" in plain else f"{plain}#au"


def proposed_rules(course: CourseStructure) -> str:
    """`[[rules]]` in TOML: a topic for each unit, and what a block would be."""
    parts = [f"# {_comment_line(course.title)}\n# {_comment_line(course.id)}\n"]
    blocks: set[str] = set()
    for number, (unit, within) in enumerate(course.units(), start=1):
        for block in within:
            if block.id not in blocks:
                blocks.add(block.id)
                parts.append(_block_rule(block, len(blocks)))
        parts.append(_unit_rule(unit, within, number))
    return "\n".join(parts)


def launch_request(unit: AssignableUnit) -> dict[str, Any]:
    """The body of a `POST /launches` that starts it."""
    player = {
        "publisherId": _literal_template(unit.id),
        "launchMethod": unit.launch_method,
        "launchParameters": unit.launch_parameters,
        "entitlementKey": {"courseStructure": unit.entitlement_key}
        if unit.entitlement_key is not None
        else None,
    }
    request = {
        "learner": LEARNER,
        "authToken": TOKEN,
        "kind": "cmi5",
        "activity": launch_activity(unit.id),
        # of no known language
        "definition": {"name": {"und": unit.title}} if unit.title else None,
        "url": unit.url if urlsplit(unit.url).scheme else CONTENT + unit.url.lstrip("./"),
        "moveOn": unit.move_on,
        "masteryScore": unit.mastery_score,
        "player": {name: value for name, value in player.items() if value is not None},
    }
    return {name: value for name, value in request.items() if value is not None}


def _unit_rule(unit: AssignableUnit, within: tuple[Block, ...], number: int) -> str:
    place = " / ".join(
        _comment_line(title) for title in (*(block.title for block in within), unit.title)
    )
    mastery = "" if unit.mastery_score is None else f", masteryScore {unit.mastery_score:g}"
    return "\n".join(
        (
            f"# {place}",
            f"# moveOn {unit.move_on}{mastery}",
            "[[rules]]",
            f"activity = {_toml_string(launch_activity(unit.id))}",
            f'topic_id = "{TOPIC}-{number}"',
            f'course_slug = "{COURSE}"',
            "",
        )
    )


def _block_rule(block: Block, number: int) -> str:
    """Pointsman launches units, and states no block satisfied; another LMS may."""
    return "\n".join(
        (
            f"# {_comment_line(block.title)}: a block.",
            "# Where another LMS states it satisfied, it may be a topic of its own:",
            *(
                f"# {line}"
                for line in (
                    "[[rules]]",
                    f"activity = {_toml_string(_literal_template(block.id))}",
                    'verbs = ["satisfied"]',
                    f'topic_id = "BLOCK-{TOPIC}-{number}"',
                )
            ),
            "",
        )
    )


def _literal_template(activity: str) -> str:
    """A template of which nothing varies, and an IRI."""
    return activity.replace("{", "%7B").replace("}", "%7D")


def _toml_string(text: str) -> str:
    """A basic string of TOML."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _comment_line(text: str) -> str:
    """For a comment, which ends with its line."""
    return _UNPRINTABLE.sub(" ", text)[:200]


def course_as_json(course: CourseStructure) -> dict[str, Any]:
    """The course as JSON, units with the activity that they are launched as."""
    return {
        "id": course.id,
        "title": course.title,
        "members": list(_members(course.members)),
        "warnings": list(course.warnings),
    }


def _members(members: tuple[AssignableUnit | Block, ...]) -> Iterator[dict[str, Any]]:
    for member in members:
        if isinstance(member, Block):
            yield {
                "block": member.id,
                "title": member.title,
                "members": list(_members(member.members)),
            }
        else:
            yield {
                "au": member.id,
                "activity": launch_activity(member.id),
                "title": member.title,
                "url": member.url,
                "moveOn": member.move_on,
                "masteryScore": member.mastery_score,
                "launchMethod": member.launch_method,
                "launchParameters": member.launch_parameters,
                "entitlementKey": member.entitlement_key,
                "activityType": member.activity_type,
            }
