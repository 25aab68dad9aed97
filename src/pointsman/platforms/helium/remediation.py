"""What a person can do about a mutation that Helium refused, from the code of the refusal. Pure."""

from __future__ import annotations


def remedy(message: str, setting: str) -> str:
    """A clause for `parked list` and the log; a message begins with its code (`outcomes`)."""
    match message.partition(":")[0]:
        case "NOT_FOUND":
            return f"see that {setting} names what the platform has"
        case "FORBIDDEN":
            return "give the user the STUDENT role, and access to it, on the platform"
        case "BAD_USER_INPUT":
            return f"see what {setting} makes of the activity's id"
        case _:
            return f"look for it on the platform, and at {setting}"
