"""A cmi5 launch, and statements of its session, without a daemon."""

from __future__ import annotations

from typing import Any

from pointsman.domain.launch import Launch, PlayerKind
from pointsman.domain.records import Actor
from pointsman.sources.players.cmi5 import vocabulary

ADL = "http://adlnet.gov/expapi/verbs/"
_PLAIN = {"initialized", "terminated"}
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


PUBLISHER = "https://publisher.example.com/unit"
_RESULTS: dict[str, dict[str, Any]] = {
    "completed": {"completion": True},
    "passed": {"success": True},
    "failed": {"success": False},
    "terminated": {},
}


def good_statement(verb: str, *, mastery: float | None = None) -> dict[str, Any]:
    """One that breaks no rule of cmi5, said in the session s1; `verb` is short."""
    judged = verb in {"completed", "passed", "failed"}
    categories = [vocabulary.CMI5_CATEGORY] if judged or verb in _PLAIN else []
    extensions: dict[str, Any] = {vocabulary.SESSION_ID: "s1"}
    if judged and mastery is not None:
        extensions[vocabulary.MASTERY_SCORE] = mastery
    said = {
        "id": "39b0aaf8-0000-4000-8000-000000000099",
        "timestamp": "2026-01-01T10:00:00Z",
        "actor": {"account": {"homePage": "https://learn.example.com", "name": "ana@example.com"}},
        "verb": {"id": f"{ADL}{verb}"},
        "object": {"id": UNIT},
        "context": {
            "registration": LAUNCH.registration,
            "contextActivities": {
                "grouping": [{"id": PUBLISHER}],
                "category": [
                    {"id": category}
                    for category in (
                        *categories,
                        *([vocabulary.MOVE_ON_CATEGORY] if judged else []),
                    )
                ],
            },
            "extensions": extensions,
        },
    }
    if verb in _RESULTS:
        said["result"] = {**_RESULTS[verb], "duration": "PT1S"}
    return said


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
