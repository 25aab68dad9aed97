"""Launches: players that are started for one learner and one activity, and what they may say."""

from pointsman.sources.players.authorize import left_unnamed, may_say, registered
from pointsman.sources.players.credentials import Pass, Passes, PassExpired, PassRefused, Purpose
from pointsman.sources.players.launch_cache import KnownLaunches
from pointsman.sources.players.launch_request import LaunchRequest, opened

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
