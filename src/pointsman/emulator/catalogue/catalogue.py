"""The whole catalogue, checked: ids are unique, and every reference has its target."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from functools import cached_property

from pydantic import model_validator

from pointsman.emulator.catalogue.courses import Course, Meeting, Topic
from pointsman.emulator.catalogue.entry import CatalogueEntry
from pointsman.emulator.catalogue.paths import LearningPath, Milestone
from pointsman.emulator.catalogue.people import AwardType, Client, Learner

#: whose everything is where the catalogue names no client
ROOT = Client(id="client_root", name="Emulated Academy", slug="emulated-academy")


class Catalogue(CatalogueEntry):
    """All that exists, and finding it by any of its names."""

    clients: tuple[Client, ...] = (ROOT,)
    award_types: tuple[AwardType, ...] = ()
    learners: tuple[Learner, ...]
    courses: tuple[Course, ...]
    learning_paths: tuple[LearningPath, ...] = ()

    @model_validator(mode="after")
    def _names_and_references(self) -> Catalogue:
        if problems := [*_repeated_names(self), *_broken_references(self)]:
            raise ValueError("\n".join(problems))
        return self

    @cached_property
    def client_by_id(self) -> dict[str, Client]:
        return {client.id: client for client in self.clients}

    @cached_property
    def award_type_by_id(self) -> dict[str, AwardType]:
        return {award.id: award for award in self.award_types}

    @cached_property
    def learner_by_email(self) -> dict[str, Learner]:
        return {learner.email: learner for learner in self.learners}

    @cached_property
    def learner_by_id(self) -> dict[str, Learner]:
        return {learner.id: learner for learner in self.learners}

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

    @cached_property
    def meeting_by_id(self) -> dict[str, tuple[Course, Meeting]]:
        return {
            meeting.id: (course, meeting) for course in self.courses for meeting in course.meetings
        }

    @cached_property
    def path_by_id(self) -> dict[str, LearningPath]:
        return {path.id: path for path in self.learning_paths}

    @cached_property
    def path_by_slug(self) -> dict[str, LearningPath]:
        return {path.slug: path for path in self.learning_paths}


def _repeated_names(catalogue: Catalogue) -> Iterator[str]:
    def repeated(key: str, uses: Iterable[tuple[str, str | None]]) -> Iterator[str]:
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
    meetings = [
        (f"{at}.meetings[{n}]", meeting)
        for at, course in courses
        for n, meeting in enumerate(course.meetings)
    ]
    paths = [(f"learning_paths[{n}]", path) for n, path in enumerate(catalogue.learning_paths)]
    milestones = [(at, milestone) for at, path in paths for at, milestone in _milestones(at, path)]
    yield from repeated(
        "id", ((f"clients[{n}]", client.id) for n, client in enumerate(catalogue.clients))
    )
    awards = enumerate(catalogue.award_types)
    yield from repeated("id", ((f"award_types[{n}]", award.id) for n, award in awards))
    yield from repeated("id", ((at, learner.id) for at, learner in learners))
    yield from repeated("email", ((at, learner.email) for at, learner in learners))
    yield from repeated("id", ((at, course.id) for at, course in courses))
    yield from repeated("slug", ((at, course.slug) for at, course in courses))
    yield from repeated("sku", ((at, course.sku) for at, course in courses))
    yield from repeated("id", ((at, lesson.id) for at, lesson in lessons))
    yield from repeated("id", ((at, topic.id) for at, topic in topics))
    yield from repeated("id", ((at, meeting.id) for at, meeting in meetings))
    yield from repeated("id", ((at, path.id) for at, path in paths))
    yield from repeated("slug", ((at, path.slug) for at, path in paths))
    yield from repeated("id", ((at, milestone.id) for at, milestone in milestones))


def _broken_references(catalogue: Catalogue) -> Iterator[str]:
    """References to what is not there, by key."""
    for where, what, name, known in [*_course_references(catalogue), *_path_references(catalogue)]:
        if name is not None and name not in known:
            yield f"{where}: there is no {what} {name!r}"


#: (key, what it names, the name, the names there are)
_Reference = tuple[str, str, str | None, Container[str]]


def _course_references(catalogue: Catalogue) -> Iterator[_Reference]:
    for number, course in enumerate(catalogue.courses):
        at = f"courses[{number}]"
        yield f"{at}.award_type", "award type", course.award_type, catalogue.award_type_by_id
        topics = {topic.id for topic in course.topics}
        meetings = {meeting.id for meeting in course.meetings}
        for n, criterion in enumerate(course.completion_criteria):
            where = f"{at}.completion_criteria[{n}].required"
            for name in criterion.required:
                if criterion.type == "courseMeetingAttended":
                    yield where, "meeting of this course", name, meetings
                else:
                    yield where, "topic of this course", name, topics


def _path_references(catalogue: Catalogue) -> Iterator[_Reference]:
    courses, paths = catalogue.course_by_id, catalogue.path_by_id
    for number, path in enumerate(catalogue.learning_paths):
        at = f"learning_paths[{number}]"
        yield f"{at}.client", "client", path.client, catalogue.client_by_id
        for name in path.prerequisite_courses:
            yield f"{at}.prerequisite_courses", "course", name, courses
        for name in path.prerequisite_learning_paths:
            yield f"{at}.prerequisite_learning_paths", "learning path", name, paths
        for where, milestone in _milestones(at, path):
            for n, place in enumerate(milestone.courses):
                yield f"{where}.courses[{n}].course", "course", place.course, courses
            for n, criterion in enumerate(milestone.completion_criteria):
                key = f"{where}.completion_criteria[{n}].award_type"
                yield key, "award type", criterion.award_type, catalogue.award_type_by_id


def _milestones(at: str, path: LearningPath) -> Iterator[tuple[str, Milestone]]:
    for n, milestone in enumerate(path.milestones):
        yield f"{at}.milestones[{n}]", milestone
