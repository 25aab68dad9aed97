"""Settings [[rules]]: what an activity is on the platform, and which statements count."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import AwareDatetime, Field, ValidationInfo, field_validator

from pointsman.config.storyline import count_slides
from pointsman.domain.platform_events import OnPlatformChange
from pointsman.domain.records import Falls
from pointsman.domain.uri_template import Template
from pointsman.setting_types import (
    ExistingFile,
    Names,
    Section,
    TemplateText,
    require_some,
    valid_so_far,
)

T = TypeVar("T")
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
_READ_BY_ID = "give the rule audit_course_id, a template of the course's id"
_TARGET_KEYS = (
    *_COURSE_KEYS,
    "learning_path_slug",
    "learning_path_id",
    "meeting_id",
    "topic_id",
)


class RuleSettings(Section):
    """One of [[rules]]. They are tried in order; the first that matches decides."""

    #: shown in the books, in metrics and by `pointsman explain`; "rule N" without
    name: str = Field(default="", max_length=100)
    #: a URI template that is used backwards: it takes the activity's id apart
    activity: TemplateText
    #: short names or full IRIs; none = every verb
    verbs: Names | None = None
    #: short names or full IRIs; none = every type, and statements that give none
    activity_types: Names | None = None
    #: what the platform calls it, made of the variables: at most one course
    course_id: TemplateText | None = None
    #: the course by its slug
    course_slug: TemplateText | None = None
    #: the course by its SKU
    course_sku: TemplateText | None = None
    #: the learning path that the learner gets access to
    learning_path_slug: TemplateText | None = None
    #: the learning path that is archived or reinstated
    learning_path_id: TemplateText | None = None
    #: the meeting that the learner attended
    meeting_id: TemplateText | None = None
    #: the topic whose progress is set
    topic_id: TemplateText | None = None
    #: the course's id, so that the audit can read it where the course goes by slug or SKU
    audit_course_id: TemplateText | None = None
    #: which statements complete the course
    course_completed: Literal[
        "never", "completed", "passed", "completed_or_passed", "completed_and_passed"
    ] = "never"
    #: how many activities of the rule have to do so
    course_parts: int = Field(default=1, ge=1, le=1_000)
    #: a statement about the activity starts its course
    course_started: bool = True
    #: `result.score.scaled` counts as progress where nothing better is said
    score_is_progress: bool = False
    #: whether progress may fall: never, by a newer attempt, or always
    falls: Falls = Falls.NEVER
    #: what becomes of its state when somebody changes it on the platform on purpose
    on_platform_change: OnPlatformChange = OnPlatformChange.PLATFORM_WINS
    #: a completed course or path of it brings a certificate
    certificate: bool = False
    #: how long its progress may wait; none = as [delivery] says
    fresh_within_seconds: float | None = Field(default=None, gt=0, le=3_600)
    #: when learners' work is due, with its time zone: what would come late goes first
    due: AwareDatetime | None = None
    #: when a topic is at 100 (cmi5 section 13.1.4); none = when its activity says so
    move_on: (
        Literal["Passed", "Completed", "CompletedAndPassed", "CompletedOrPassed", "NotApplicable"]
        | None
    ) = None
    #: a Storyline export's file that lists its slides
    tincan_xml: ExistingFile | None = None
    #: how many activities of the rule make up one topic; counted where `tincan_xml` is given
    slides: int | None = Field(default=None, ge=1, le=5_000)

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
        if text is None or not valid_so_far(info, "activity"):
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
        if valid_so_far(info, *others) and not any([topic, *(info.data[key] for key in others)]):
            raise ValueError(
                f"is missing, and so are {', '.join(others)}; a rule sets at least one of them"
            )
        return topic

    @field_validator("course_completed")
    @classmethod
    def _needs_a_course(cls, by: str, info: ValidationInfo) -> str:
        nameless = all(info.data.get(key) is None for key in _COURSE_KEYS)
        if by != "never" and nameless and valid_so_far(info, *_COURSE_KEYS):
            raise ValueError("needs a course: give course_id, course_slug or course_sku")
        return by

    @field_validator("course_parts")
    @classmethod
    def _needs_a_criterion(cls, parts: int, info: ValidationInfo) -> int:
        if parts > 1 and info.data.get("course_completed") == "never":
            raise ValueError("needs course_completed: it counts activities that complete so")
        return parts

    @field_validator("move_on")
    @classmethod
    def _needs_a_topic(cls, move_on: str | None, info: ValidationInfo) -> str | None:
        if move_on is not None and valid_so_far(info, "topic_id") and info.data["topic_id"] is None:
            raise ValueError("needs topic_id: it says when that topic is at 100")
        return _may_not_fall(move_on, info)

    @field_validator("tincan_xml")
    @classmethod
    def _has_slides(cls, path: Path | None, info: ValidationInfo) -> Path | None:
        if path is not None and valid_so_far(info, "activity"):
            count_slides(path, info.data["activity"])
        return path

    @field_validator("slides", mode="before")
    @classmethod
    def _counted(cls, slides: Any, info: ValidationInfo) -> Any:
        path = info.data.get("tincan_xml")
        if path is None or not valid_so_far(info, "activity"):
            return slides
        if slides is not None:
            raise ValueError("and tincan_xml are both given; keep one of them")
        return count_slides(path, info.data["activity"])

    @field_validator("slides")
    @classmethod
    def _completes_something(cls, slides: int | None, info: ValidationInfo) -> int | None:
        if slides is None or not valid_so_far(info, "topic_id", "course_completed"):
            return slides
        if info.data["topic_id"] is None and info.data["course_completed"] == "never":
            raise ValueError("needs topic_id, or a course and course_completed, to count for")
        return _may_not_fall(slides, info)

    @property
    def course(self) -> tuple[Literal["id", "slug", "sku"], str] | None:
        """How the course is named, and the template of that."""
        if self.course_id is not None:
            return "id", self.course_id
        if self.course_slug is not None:
            return "slug", self.course_slug
        return None if self.course_sku is None else ("sku", self.course_sku)

    @property
    def unread_because(self) -> str:
        """Why the audit can't read back what the rule sets, and what would let it; "" if it can."""
        if self.audit_course_id is not None or self.course_id is not None:
            return ""
        if self.course is not None:
            by, _ = self.course
            return f"it names its course by course_{by}; {_READ_BY_ID}"
        return f"it names a topic and no course; {_READ_BY_ID}" if self.topic_id else ""


def _may_not_fall(value: T, info: ValidationInfo) -> T:
    if value is not None and info.data.get("falls") is Falls.ALWAYS:
        raise ValueError(
            'does not go with falls = "always": what was done stays done; '
            'take falls = "never" or "new_attempt"'
        )
    return value


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
