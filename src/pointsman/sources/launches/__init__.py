"""Launches: players that are started for one learner and one activity, and what they may say."""

from pointsman.sources.launches.known import KnownLaunches
from pointsman.sources.launches.opening import LaunchRequest, opened
from pointsman.sources.launches.passes import Pass, Passes, PassExpired, PassRefused, Purpose
from pointsman.sources.launches.speech import left_unnamed, may_say, registered

__all__ = [
    "KnownLaunches",
    "LaunchRequest",
    "Pass",
    "PassExpired",
    "PassRefused",
    "Passes",
    "Purpose",
    "left_unnamed",
    "may_say",
    "opened",
    "registered",
]
