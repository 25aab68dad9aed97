"""A rule that would take activities which no rule takes, for a person to decide about."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ProposedRule:
    """The settings of a rule; `like` is the name of the one whose `topic_id` it has, or empty."""

    activity: str
    topic_id: str
    like: str = ""
