"""A cmi5 launch, and statements of its session, without a daemon."""

from __future__ import annotations

from typing import Any

from pointsman.domain.launch import Launch, PlayerKind
from pointsman.domain.records import Actor
from pointsman.sources.players.cmi5 import vocabulary

UNIT = "https://content.example.com/unit"
LAUNCH = Launch(
    registration="39b0aaf8-0000-4000-8000-000000000000",
    kind=PlayerKind.CMI5,
    learner="ana@example.com",
    actor=Actor("account", "ana@example.com", "https://learn.example.com"),
    name="Ana",
    activity=UNIT,
    opened_at=0,
    expires_at=10,
    move_on="Passed",
    mastery_score=0.8,
    session="s1",
)


def statement(verb: str = vocabulary.PASSED, **more: Any) -> dict[str, Any]:
    """A good one, said in the session s1."""
    context = {
        "registration": LAUNCH.registration,
        "contextActivities": {
            "category": [{"id": vocabulary.CMI5_CATEGORY}, {"id": vocabulary.MOVE_ON_CATEGORY}]
        },
        "extensions": {vocabulary.SESSION_ID: "s1"},
    }
    return {
        "actor": {"account": {"homePage": "https://learn.example.com", "name": "ana@example.com"}},
        "verb": {"id": verb},
        "object": {"id": UNIT},
        "context": context,
        **more,
    }
