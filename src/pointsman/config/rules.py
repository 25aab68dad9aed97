"""[[rules]]: what an activity is on the platform, and which statements count."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from pointsman.config.values import Names, Section, TemplateText, given, require_some
from pointsman.mapping.template import Template
from pointsman.model import Falls

_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:.")
#: verbs of ADL, cmi5 and the video profile, which may be named without their IRI
SHORT_VERBS = (
    *("answered", "asked", "attempted", "attended", "commented", "completed", "exited"),
    *("experienced", "failed", "imported", "initialized", "interacted", "launched", "mastered"),
    *("passed", "preferred", "progressed", "registered", "responded", "resumed", "scored"),
    *("shared", "suspended", "terminated", "voided", "logged-in", "logged-out"),
    *("abandoned", "satisfied", "waived", "played", "paused", "seeked"),
    *("archive", "archived", "reinstated", "unarchived", "restored"),
)
#: activity types of ADL, cmi5 and the video profile, which may be named without their IRI
SHORT_TYPES = (
    *("assessment", "attempt", "cmi.interaction", "course", "file", "interaction", "lesson"),
    *("link", "media", "meeting", "module", "objective", "performance", "profile", "question"),
    *("simulation", "video", "block", "webinar", "event", "collection"),
)
_COURSE_KEYS = ("course_id", "course_slug", "course_sku")
_TARGET_KEYS = (
    *_COURSE_KEYS,
    "learning_path_slug",
    "learning_path_id",
    "meeting_id",
    "topic_id",
)


class Rule(Section):
    """One of [[rules]]. They are tried in order; the first that matches decides."""

    name: str = Field(default="", max_length=100)
    #: a URI template that is used backwards: it takes the activity's id apart
    activity: TemplateText
    #: short names or full IRIs; none = every verb
    verbs: Names | None = None
    #: short names or full IRIs; none = every type, and statements that give none
    activity_types: Names | None = None
    #: what the platform calls it, made of the variables: at most one course
    course_id: TemplateText | None = None
    course_slug: TemplateText | None = None
    course_sku: TemplateText | None = None
    learning_path_slug: TemplateText | None = None
    learning_path_id: TemplateText | None = None
    meeting_id: TemplateText | None = None
    topic_id: TemplateText | None = None
    #: the course's id, so that the audit can read it where the course goes by slug or SKU
    audit_course_id: TemplateText | None = None
    course_completed: Literal["never", "completed", "passed", "completed_or_passed"] = "never"
    #: a statement about the activity starts its course
    course_started: bool = True
    #: `result.score.scaled` counts as progress where nothing better is said
    score_is_progress: bool = False
    falls: Falls = Falls.NEVER

    @field_validator("activity")
    @classmethod
    def _absolute(cls, activity: str) -> str:
        if not _ABSOLUTE.match(activity):
            raise ValueError("must start with a scheme such as https:, as an activity's id does")
        return activity

    @field_validator("verbs")
    @classmethod
    def _known_verbs(cls, verbs: tuple[str, ...] | None) -> tuple[str, ...] | None:
        return _known(verbs, SHORT_VERBS, "Verbs")

    @field_validator("activity_types")
    @classmethod
    def _known_types(cls, types: tuple[str, ...] | None) -> tuple[str, ...] | None:
        return _known(types, SHORT_TYPES, "Types")

    @field_validator(*_TARGET_KEYS, "audit_course_id")
    @classmethod
    def _variables_exist(cls, text: str | None, info: ValidationInfo) -> str | None:
        if text is None or not given(info, "activity"):
            return text
        known = Template(info.data["activity"]).variables
        for variable in Template(text).variables:
            if variable not in known:
                has = ", ".join(f"{{{name}}}" for name in known) or "no variables"
                raise ValueError(f"uses {{{variable}}}, but activity has {has}")
        return text

    @field_validator("course_slug", "course_sku")
    @classmethod
    def _one_course(cls, text: str | None, info: ValidationInfo) -> str | None:
        earlier = [key for key in _COURSE_KEYS if info.data.get(key) is not None]
        if text is not None and earlier:
            raise ValueError(f"and {earlier[0]} are both given; a rule names its course once")
        return text

    @field_validator("topic_id")
    @classmethod
    def _some_output(cls, topic: str | None, info: ValidationInfo) -> str | None:
        others = [key for key in _TARGET_KEYS if key != "topic_id"]
        if given(info, *others) and not any([topic, *(info.data[key] for key in others)]):
            raise ValueError(
                f"is missing, and so are {', '.join(others)}; a rule sets at least one of them"
            )
        return topic

    @field_validator("course_completed")
    @classmethod
    def _needs_a_course(cls, by: str, info: ValidationInfo) -> str:
        nameless = all(info.data.get(key) is None for key in _COURSE_KEYS)
        if by != "never" and nameless and given(info, *_COURSE_KEYS):
            raise ValueError("needs a course: give course_id, course_slug or course_sku")
        return by

    @property
    def course(self) -> tuple[Literal["id", "slug", "sku"], str] | None:
        """How the course is named, and the template of that."""
        if self.course_id is not None:
            return "id", self.course_id
        if self.course_slug is not None:
            return "slug", self.course_slug
        return None if self.course_sku is None else ("sku", self.course_sku)


def _known(
    names: tuple[str, ...] | None, short: Sequence[str], what: str
) -> tuple[str, ...] | None:
    if names is not None:
        require_some(names)
    for name in names or ():
        if ":" in name or name in short:
            continue
        close = get_close_matches(name.lower(), short, n=1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        raise ValueError(
            f"has the unknown short name {name!r}; {hint}{what} of no profile are written as a "
            "full IRI"
        )
    return names
