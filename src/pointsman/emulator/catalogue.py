"""Which learners, courses and topics the emulated platform has, read from a TOML file.

What learners do is in `state`; this never changes while the emulator runs.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from pointsman.emulator.pages import TopicType
from pointsman.errors import ConfigError

#: the role that learner mutations need
STUDENT = "STUDENT"

Name = Annotated[str, StringConstraints(min_length=1)]
#: addresses are compared without regard to case
Email = Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+$", to_lower=True)]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Topic(_Entry):
    """A page of a course; `id` is what `UpdateTopicAndCourseProgress` takes."""

    id: Name
    title: Name
    type: TopicType
    #: a video's id in the asset library
    asset: str | None = None
    #: of a quiz or test
    min_passing_percent: int | None = Field(default=None, ge=0, le=100)
    created_at: AwareDatetime = datetime(2024, 1, 1, tzinfo=UTC)
    updated_at: AwareDatetime = datetime(2024, 1, 1, tzinfo=UTC)


class Lesson(_Entry):
    id: Name
    title: Name
    topics: tuple[Topic, ...]


class Course(_Entry):
    id: Name
    slug: Name
    sku: Name | None = None
    title: Name
    lessons: tuple[Lesson, ...]

    @cached_property
    def topics(self) -> tuple[Topic, ...]:
        return tuple(topic for lesson in self.lessons for topic in lesson.topics)


class Learner(_Entry):
    id: Name
    email: Email
    password: str = Field(min_length=1, repr=False)
    #: whoever is no STUDENT can log in, but the learner mutations are forbidden
    role: Annotated[str, StringConstraints(pattern=r"^[A-Z_]+$")] = STUDENT
    first_name: str = ""
    last_name: str = ""


class Catalogue(_Entry):
    """Learners and courses, with every id in it naming one thing only."""

    learners: tuple[Learner, ...]
    courses: tuple[Course, ...]

    @model_validator(mode="after")
    def _names_are_unique(self) -> Catalogue:
        if problems := list(_doubles(self)):
            raise ValueError("\n".join(problems))
        return self

    @cached_property
    def learner_by_email(self) -> dict[str, Learner]:
        return {learner.email: learner for learner in self.learners}

    @cached_property
    def course_by_id(self) -> dict[str, Course]:
        return {course.id: course for course in self.courses}

    @cached_property
    def course_by_slug(self) -> dict[str, Course]:
        return {course.slug: course for course in self.courses}

    @cached_property
    def course_by_sku(self) -> dict[str, Course]:
        return {course.sku: course for course in self.courses if course.sku is not None}

    @cached_property
    def topic_by_id(self) -> dict[str, tuple[Course, Topic]]:
        return {topic.id: (course, topic) for course in self.courses for topic in course.topics}


def _doubles(catalogue: Catalogue) -> Iterator[str]:
    def again(key: str, uses: Iterable[tuple[str, str | None]]) -> Iterator[str]:
        first: dict[str, str] = {}
        for where, value in uses:
            if value is not None and first.setdefault(value, where) != where:
                yield f"{where}.{key}: {value!r} is already the {key} of {first[value]}"

    learners = [(f"learners[{n}]", learner) for n, learner in enumerate(catalogue.learners)]
    courses = [(f"courses[{n}]", course) for n, course in enumerate(catalogue.courses)]
    lessons = [
        (f"{at}.lessons[{n}]", lesson)
        for at, course in courses
        for n, lesson in enumerate(course.lessons)
    ]
    topics = [
        (f"{at}.topics[{n}]", topic)
        for at, lesson in lessons
        for n, topic in enumerate(lesson.topics)
    ]
    yield from again("id", ((at, learner.id) for at, learner in learners))
    yield from again("email", ((at, learner.email) for at, learner in learners))
    yield from again("id", ((at, course.id) for at, course in courses))
    yield from again("slug", ((at, course.slug) for at, course in courses))
    yield from again("sku", ((at, course.sku) for at, course in courses))
    yield from again("id", ((at, lesson.id) for at, lesson in lessons))
    yield from again("id", ((at, topic.id) for at, topic in topics))


def builtin_catalogue() -> Catalogue:
    """What is served without a catalogue file: ana@example.com, ben@example.com, five courses."""
    source = resources.files(__package__).joinpath("builtin.toml")
    return _read("the built-in catalogue", source.read_text("utf-8"))


def load_catalogue(path: Path) -> Catalogue:
    """Read a catalogue file. Raises `ConfigError` naming the file and every key that is wrong."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"catalogue {path}: can't be read: {error}") from error
    return _read(f"catalogue {path}", text)


def _read(name: str, text: str) -> Catalogue:
    try:
        return Catalogue.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{name}: is not valid TOML: {error}") from error
    except ValidationError as error:
        problems = [line for detail in error.errors() for line in _explain(detail)]
        raise ConfigError("\n".join(f"{name}: {problem}" for problem in problems)) from error


def _explain(detail: Any) -> list[str]:
    """One pydantic error as lines that begin with the key, as it is written in the file."""
    if isinstance(own := detail.get("ctx", {}).get("error"), ValueError):
        return str(own).splitlines()
    key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in detail["loc"])
    given = detail["input"]
    shown = f" (it is {given!r})" if isinstance(given, str | int | float) else ""
    # Passwords are the one secret a catalogue holds.
    return [f"{key.lstrip('.')}: {detail['msg']}{'' if key.endswith('.password') else shown}"]
