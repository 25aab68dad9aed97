"""What a person can do about a mutation that the platform refused. Pure."""

from __future__ import annotations

from pointsman.domain.records import Desired
from pointsman.domain.targets import TargetKind

#: the rule's settings that name what was refused
_SETTING = {
    TargetKind.TOPIC_PROGRESS: "topic_id",
    TargetKind.COURSE_STATUS: "course_id, course_slug or course_sku",
    TargetKind.LEARNING_PATH_ACCESS: "learning_path_slug",
    TargetKind.MEETING_ATTENDANCE: "meeting_id and course_id",
    TargetKind.COURSE_ARCHIVED: "course_id",
    TargetKind.LEARNING_PATH_ARCHIVED: "learning_path_id",
}


def next_step(row: Desired, words: str) -> str:
    """One sentence for `parked list` and the log, from the code that the words begin with."""
    setting = f'{_SETTING[row.target.kind]} of the rule "{row.rule}"'
    match words.partition(":")[0]:
        case "NOT_FOUND":
            cure = f"see that {setting} names what the platform has"
        case "FORBIDDEN":
            cure = "give the user the STUDENT role, and access to it, on the platform"
        case "BAD_USER_INPUT":
            cure = f"see what {setting} makes of the activity's id"
        case _:
            cure = f"look for it on the platform, and at {setting}"
    who = "" if row.recipient.is_meeting else f" --learner {row.recipient}"
    return f"next: {cure}; then pointsman parked retry{who}"
