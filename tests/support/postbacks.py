"""Postbacks of SCORM Cloud, written after its schema, beside those that were recorded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

#: what the recorded ones show, beside `pbuser`
PASSWORD = "pbpass"
DATA = Path(__file__).parents[1] / "data" / "players" / "scorm-cloud-postback.jsonl"

#: as its documentation's, of a Tin Can course: one activity, and an amount that stays 0
GOLF: dict[str, Any] = {
    "id": "reg-golf",
    "instance": 0,
    "xapiRegistrationId": "26E23536-bac9-4867-ba34-533799d97e57",
    "updated": "2024-01-31T19:45:37Z",
    "registrationCompletion": "COMPLETED",
    "registrationSuccess": "FAILED",
    "score": {"scaled": 7},
    "totalSecondsTracked": 26,
    "completedDate": "2024-01-31T19:46:03Z",
    "course": {"id": "golf", "title": "Tin Can Golf Example", "version": 0},
    "learner": {"id": "e04849ba", "firstName": "first", "lastName": "last"},
    "activityDetails": {
        "id": "http://id.tincanapi.com/activity/golf",
        "activityCompletion": "COMPLETED",
        "activitySuccess": "FAILED",
        "score": {"scaled": 7.0000000000000009},
        "timeTracked": "0000:00:26.66",
        "completionAmount": {"scaled": 0},
        "children": [],
    },
    "registrationCompletionAmount": 0,
}


def sco(name: str, completion: str, success: str = "UNKNOWN", **more: Any) -> dict[str, Any]:
    return {
        "id": name,
        "title": f"SCO {name}",
        "activityCompletion": completion,
        "activitySuccess": success,
        **more,
    }


#: three SCOs, two of them in a chapter; the last was never opened
MULTI_SCO: dict[str, Any] = {
    "id": "reg-3",
    "instance": 1,
    "xapiRegistrationId": "1f6b2c3a-0001-4c1e-9a11-000000000003",
    "updated": "2025-10-06T11:00:00Z",
    "registrationCompletion": "INCOMPLETE",
    "registrationCompletionAmount": 0.5,
    "registrationSuccess": "UNKNOWN",
    "score": None,
    "course": {"id": "course/3"},
    "learner": {"id": "learner-1", "email": "ana@example.com"},
    "activityDetails": {
        "id": "ORG",
        "children": [
            {
                "id": "chapter",
                "activityCompletion": "INCOMPLETE",
                "children": [
                    sco("one", "COMPLETED", "PASSED", score={"scaled": 90.0}, children=[]),
                    sco(
                        "two",
                        "UNKNOWN",
                        runtime={
                            "completionStatus": "incomplete",
                            "runtimeSuccessStatus": "UNKNOWN",
                            "progressMeasure": "0.25",
                            "scoreScaled": "0.5",
                        },
                        timeTracked="0000:01:30.5",
                    ),
                ],
            },
            sco("three", "INCOMPLETE", attempts=0, completionAmount={"scaled": 0}),
        ],
    },
}


def recorded() -> list[dict[str, Any]]:
    with DATA.open() as lines:
        return [json.loads(line) for line in lines]


def form(postback: Any, user: str = "pbuser", password: str = PASSWORD) -> bytes:
    """As SCORM Cloud posts it by default."""
    data = postback if isinstance(postback, str) else json.dumps(postback)
    return urlencode({"data": data, "userName": user, "password": password}).encode()
