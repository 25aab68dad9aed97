"""Random traffic for every kind of target, what must come of it, and every kind of fault.

The expected state is computed here, and shares no code with the merging of the store.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pointsman.domain.records import Change, Falls
from pointsman.domain.targets import Recipient, Target, TargetKind, Value
from pointsman.emulator import Catalogue
from tests.support.change_factory import change

TOPICS, COURSES, PATHS, MEETINGS = 6, 3, 3, 3

#: each kind of fault, at the rate of a bad day
FAULTS: tuple[dict[str, Any], ...] = (
    {"kind": "latency", "chance": 0.05, "seconds": 2},
    {"kind": "throttle", "chance": 0.01, "retry_after": 3, "burst": 3},
    {"kind": "server_error", "chance": 0.02, "status": 503, "burst": 2},
    {"kind": "drop_before", "chance": 0.02},
    {"kind": "drop_after", "chance": 0.05},
    {"kind": "refuse", "chance": 0.05},
    {"kind": "expire_tokens", "chance": 0.03},
    {"kind": "expire_tokens", "chance": 0.002, "all": True},
    {"kind": "steal", "chance": 0.1, "requests": 1, "points": 20},
    {"kind": "reset_skew", "chance": 0.1, "seconds": 5},
    {"kind": "reset_skew", "chance": 0.1, "seconds": -5},
)

#: seconds in which a change may have come before its neighbour was sent
_REACH = 120
#: (learner, what, which): what one target is called here
Key = tuple[str, str, str]


def traffic_catalogue(learners: int) -> Catalogue:
    """Learners, topics, courses, paths and meetings, all of them numbered."""
    return Catalogue.model_validate(
        {
            "learners": [
                {"id": f"u{n}", "email": f"l{n}@example.com", "password": "demo"}
                for n in range(learners)
            ],
            "courses": [
                {
                    "id": "course-topics",
                    "slug": "topics",
                    "title": "Topics",
                    "lessons": [
                        {
                            "id": "lesson",
                            "title": "Lesson",
                            # the last one is never moved, so that nothing completes by itself
                            "topics": [
                                {"id": f"t{n}", "title": f"T{n}", "type": "text"}
                                for n in range(TOPICS + 1)
                            ],
                        }
                    ],
                    "meetings": [
                        {
                            "id": f"m{n}",
                            "title": f"M{n}",
                            "start_date": "2026-01-05T10:00:00Z",
                            "end_date": "2026-01-05T11:00:00Z",
                        }
                        for n in range(MEETINGS)
                    ],
                },
                *({"id": f"course-{n}", "slug": f"c{n}", "title": f"C{n}"} for n in range(COURSES)),
            ],
            "learning_paths": [
                {"id": f"path-{n}", "slug": f"p{n}", "name": f"P{n}"} for n in range(PATHS)
            ],
        }
    )


@dataclass
class Traffic:
    """Random changes, and the state that they must end in."""

    learners: int
    dice: random.Random
    #: changes so far, and whom the latest is about
    count: int = 0
    latest: str = ""
    expected: dict[Key, Value] = field(default_factory=dict)
    #: (when, value), in microseconds, of the changes of one target
    arrivals: dict[Key, list[tuple[int, Value]]] = field(default_factory=dict)

    def next(self, now: int) -> Change:
        who = f"l{self.dice.randrange(self.learners)}@example.com"
        key, made = self._any(who, now)
        self.count += 1
        self.latest = who
        self.arrivals.setdefault(key, []).append((now, made.value))
        best = self.expected.get(key)
        if best is None or made.falls is Falls.ALWAYS or _further(made.value, best):
            self.expected[key] = made.value
        return made

    def _any(self, who: str, now: int) -> tuple[Key, Change]:
        number = self.dice.randrange
        match self.dice.choice(["topic", "topic", "topic", "course", "path", "meeting", "archive"]):
            case "topic":
                name = f"t{number(TOPICS)}"
                target = Target(TargetKind.TOPIC_PROGRESS, name)
                value: Value = self.dice.choice([100, number(100)])
                return (who, "topic", name), change(who, target, value, at=now)
            case "course":
                name = f"c{number(COURSES)}"
                target = Target(TargetKind.COURSE_STATUS, f"slug:{name}")
                value = self.dice.choice(["started", "completed"])
                return (who, "course", name), change(who, target, value, at=now)
            case "path":
                name = f"p{number(PATHS)}"
                target = Target(TargetKind.LEARNING_PATH_ACCESS, name)
                value = self.dice.choice(["started", "not-completed"])
                made = change(who, target, value, at=now, falls=Falls.ALWAYS)
                return (who, "path", name), made
            case "meeting":
                name = f"m{number(MEETINGS)}"
                target = Target(TargetKind.MEETING_ATTENDANCE, f" {who}")
                value = self.dice.choice(["attended", "not-attended"])
                return (who, "meeting", name), change(
                    Recipient.meeting(name), target, value, at=now
                )
            case _:
                name = f"course-{number(COURSES)}"
                target = Target(TargetKind.COURSE_ARCHIVED, name)
                value = self.dice.choice(["archived", "active"])
                made = change(who, target, value, at=now, falls=Falls.ALWAYS)
                return (who, "archive", name), made


def _further(value: Value, than: Value) -> bool:
    if isinstance(value, int) and isinstance(than, int):
        return value > than
    return (value, than) in {("completed", "started"), ("attended", "not-attended")}


def differences(state: Mapping[str, Any], expected: Mapping[Key, Value]) -> list[str]:
    """Where the platform's state (`learners` of its page) differs from what must be there."""
    wrong = []
    for (who, what, name), value in expected.items():
        found = _found(state[who], what, name)
        if found != value:
            wrong.append(f"{who}: {what} {name} is {found}, and must be {value}")
    return wrong


def _found(learner: Mapping[str, Any], what: str, name: str) -> Value | None:
    match what:
        case "topic":
            percent: int | None = learner["topics"].get(name)
            return percent
        case "course":
            return str(learner["courses"].get(name, {}).get("status"))
        case "path":
            return str(learner.get("learningPaths", {}).get(name, {}).get("status"))
        case "meeting":
            attended = name in learner.get("attendedMeetings", ())
            return "attended" if attended else "not-attended"
        case _:
            archived = name in learner.get("archivedCourses", ())
            return "archived" if archived else "active"


@dataclass(frozen=True, slots=True)
class Ran:
    """A mutation that ran, as `history` of the emulator's state tells it."""

    key: Key
    value: Value
    #: in Unix seconds
    at: float
    request: int


@dataclass(frozen=True, slots=True)
class Strike:
    """A fault that struck a request."""

    request: int
    kind: str


def executed(history: Iterable[Mapping[str, Any]]) -> Iterator[Ran]:
    """The mutations that set a target, in their order."""
    for one in history:
        arguments = one["arguments"]
        found = _set_by(one["name"], arguments)
        if found is not None:
            what, which, value = found
            at = datetime.fromisoformat(one["time"]).timestamp()
            yield Ran((one["learner"], what, which), value, at, one["request"])


def _set_by(name: str, arguments: Mapping[str, Any]) -> tuple[str, str, Value] | None:
    match name:
        case "UpdateTopicAndCourseProgress":
            return "topic", arguments["topicId"], arguments["progress"]
        case "UpdateCourseStatus":
            return "course", arguments["slug"], arguments["status"]
        case "UpdateLearningPathAccess":
            return "path", arguments["slug"], arguments["status"]
        case "UpdateUserCourseMeetingAttendance":
            return (
                "meeting",
                arguments["meetingId"],
                "attended" if arguments["attended"] else "not-attended",
            )
        case "ArchiveUserCourse":
            return "archive", arguments["id"], "archived"
        case "ReinstateUserCourse":
            return "archive", arguments["id"], "active"
    return None


def unexplained_repeats(
    ran: Iterable[Ran], strikes: Iterable[Strike], traffic: Traffic
) -> list[str]:
    """Mutations that ran again with the same value, though no fault lost the answer of the first.

    A value that was changed in between and changed back may be sent again.
    """
    struck = {one.request for one in strikes}
    last: dict[Key, Ran] = {}
    found = []
    for one in ran:
        before = last.get(one.key)
        last[one.key] = one
        if before is None or before.value != one.value or before.request in struck:
            continue
        changed = any(
            other != one.value and before.at - _REACH <= when / 1e6 <= one.at
            for when, other in traffic.arrivals.get(one.key, ())
        )
        if not changed:
            found.append(f"{one.key} = {one.value} in requests {before.request} and {one.request}")
    return found
