"""Judges the platform's answers: key, token, clock and quota. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pointsman.doctor.findings import Finding, fail, ok, warn
from pointsman.platforms.base import PlatformAnswer, RequestOutcome

#: seconds by which the clocks may differ: the platform's header has whole seconds
_CLOCK_OK, _CLOCK_WRONG = 5.0, 60.0
#: of the quota of the whole instance; less is left while somebody else spends it
_LITTLE = 0.1


@dataclass(frozen=True, slots=True)
class PlatformFacts:
    """One request for nobody, and the answer. Times are Unix seconds.

    `server_time` is the platform's own, None where it did not say.
    """

    url: str
    answer: PlatformAnswer
    asked_at: float
    answered_at: float
    server_time: float | None
    #: as it is set, of the whole instance
    points_per_minute: int


def judge_platform(facts: PlatformFacts) -> Iterator[Finding]:
    """Whether it answers and knows the key; and if so its clock and its quota."""
    answer = facts.answer
    match answer.outcome:
        case RequestOutcome.ANSWERED:
            yield ok("platform", f"{facts.url} answers, and knows platform.api_key")
        case RequestOutcome.THROTTLED:
            yield warn(
                "platform",
                f"{facts.url} answers, and the quota of the instance is used up: {answer.message}",
                "find who else spends it, or lower platform.limits.share",
            )
        case RequestOutcome.KEY_REFUSED | RequestOutcome.TOKEN_REFUSED:
            yield fail(
                "platform",
                f"{facts.url} refuses platform.api_key: {answer.message}",
                "put the instance's key into platform.api_key_file, or platform.api_key; then see "
                "`pointsman wait platform`",
            )
            return
        case _:
            yield fail(
                "platform",
                f"{facts.url} gives no good answer: {answer.message}",
                "see that platform.url is the instance's address, and can be reached from here "
                "(platform.proxy, platform.ca_file)",
            )
            return
    if facts.server_time is not None:
        yield _clock(facts, facts.server_time)
    yield _quota(facts)


def _clock(facts: PlatformFacts, server_time: float) -> Finding:
    # the platform wrote its time down somewhere in between, and cut it to the second
    ahead = facts.asked_at - (server_time + 1)
    behind = server_time - facts.answered_at
    off = max(ahead, behind, 0.0)
    if off <= _CLOCK_OK:
        return ok("clock", "this machine's clock agrees with the platform's")
    which = "ahead of" if ahead > behind else "behind"
    words = f"this machine's clock is {off:.0f} s {which} the platform's"
    cure = "set the clock of this machine by NTP: timedatectl set-ntp true"
    return fail("clock", words, cure) if off > _CLOCK_WRONG else warn("clock", words, cure)


def _quota(facts: PlatformFacts) -> Finding:
    left, most = facts.answer.rate.points_left, facts.points_per_minute
    if left is None:
        return warn(
            "quota",
            "the platform does not say how many points are left, so nothing corrects our count",
            "see that no proxy takes X-RateLimit-Remaining away from its answers",
        )
    if left > most:
        return warn(
            "quota",
            f"{left:,} points are left, more than platform.limits.points_per_minute, {most:,}",
            "set platform.limits.points_per_minute to what the platform allows the instance",
        )
    words = f"{left:,} of {most:,} points are left in this window"
    if left < most * _LITTLE:
        return warn(
            "quota",
            words,
            "find who spends them (`pointsman platform budget` has our part), or lower "
            "platform.limits.share",
        )
    return ok("quota", words)
