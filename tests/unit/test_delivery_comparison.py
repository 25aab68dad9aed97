"""What a reading says about a delivered state, and what it can't say."""

from __future__ import annotations

import pytest

from pointsman.delivery.comparison import Judgement, compare
from pointsman.domain.targets import Target, TargetKind, Value
from pointsman.platforms.base import PlatformState

AGREES, DIFFERS, UNREADABLE = Judgement.AGREES, Judgement.DIFFERS, Judgement.UNREADABLE
TOPIC, COURSE, PATH = (
    TargetKind.TOPIC_PROGRESS,
    TargetKind.COURSE_STATUS,
    TargetKind.LEARNING_PATH_ACCESS,
)
NOTHING = PlatformState()
DONE = PlatformState(frozenset({"t"}), completed=True, started=True)
BEGUN = PlatformState(started=True)


@pytest.mark.parametrize(
    ("kind", "value", "shown", "judgement", "known"),
    [
        (TOPIC, 100, DONE, AGREES, 100),
        (TOPIC, 100, NOTHING, DIFFERS, None),
        (TOPIC, 62, NOTHING, UNREADABLE, None),
        (TOPIC, 62, DONE, AGREES, 100),
        (COURSE, "completed", DONE, AGREES, "completed"),
        (COURSE, "completed", BEGUN, DIFFERS, None),
        (COURSE, "started", BEGUN, AGREES, "started"),
        (COURSE, "started", DONE, AGREES, "completed"),
        (COURSE, "started", NOTHING, UNREADABLE, None),
        (COURSE, "not-completed", BEGUN, UNREADABLE, None),
        (COURSE, "not-completed", DONE, UNREADABLE, None),
        (PATH, "started", BEGUN, AGREES, "started"),
        (PATH, "started", NOTHING, DIFFERS, None),
        (PATH, "not-started", NOTHING, AGREES, "not-started"),
        (PATH, "not-started", BEGUN, DIFFERS, None),
        (PATH, "not-completed", BEGUN, UNREADABLE, None),
        (TargetKind.MEETING_ATTENDANCE, "attended", DONE, UNREADABLE, None),
        (TargetKind.COURSE_ARCHIVED, "archived", DONE, UNREADABLE, None),
    ],
)
def test_only_what_can_be_known_is_judged(
    kind: TargetKind, value: Value, shown: PlatformState, judgement: Judgement, known: Value | None
) -> None:
    comparison = compare(Target(kind, "t"), value, shown)
    assert (comparison.judgement, comparison.known) == (judgement, known)
    assert comparison.shown
