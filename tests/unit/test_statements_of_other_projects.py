"""Likenesses of what other projects publish: what is taken, and what is refused by which rule.

Of event-routing-backends, Moodle's logstore plugin, datasim, ADL's templates and the examples of
the specification. They are made up here; the sections are of xAPI 1.0.3 part 2.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from pointsman.statements import Invalid, Limits, Valid, parse
from tests.support.xapi_factory import new_id

LEARNER = {"account": {"homePage": "http://lms.example.org", "name": "1"}, "name": "Ana"}
COURSE = {
    "id": "http://lms.example.org/course/view.php?id=2",
    "objectType": "Activity",
    "definition": {
        "name": {"en": "Switches"},
        "type": "http://id.tincanapi.com/activitytype/lms/course",
        "extensions": {"https://w3id.org/learning-analytics/external-id": None},
    },
}


def said(**more: Any) -> dict[str, Any]:
    return {
        "actor": LEARNER,
        "verb": {"id": "http://adlnet.gov/expapi/verbs/completed", "display": {"en": "Completed"}},
        "object": COURSE,
        **more,
    }


def within(**activities: Any) -> dict[str, Any]:
    return {"contextActivities": activities}


QUESTION = {
    "id": "block-v1:Yard+SW101+2026+type@problem+block@a0",
    "objectType": "Activity",
    "definition": {
        "type": "http://adlnet.gov/expapi/activities/cmi.interaction",
        "interactionType": "likert",
        "scale": [{"id": "likert_1", "description": {"en-US": "Strongly disagree"}}],
        "correctResponsesPattern": ["likert_1"],
    },
}
TEAM = {
    "objectType": "Group",
    "name": "Team",
    "mbox": "mailto:team@example.com",
    "member": [
        LEARNER,
        {"openid": "http://ana.openid.example.org/"},
        {"mbox_sha1sum": "ebd31e95054c018b10727ccffd2ef2ec3a016ee9"},
    ],
}
TAKEN = {
    "an attempt of a quiz, with raw scores of a course": said(
        result={"score": {"raw": 5, "min": 0, "max": 5, "scaled": 1}, "completion": True},
        context={
            **within(
                category=[{"id": "http://lms.example.org"}],
                parent=[COURSE],
                grouping=[{"id": "http://lms.example.org"}],
            ),
            "extensions": {
                "http://lrs.learninglocker.net/define/extensions/info": {
                    "https://moodle.org/": "5.0",
                    "event_name": "\\\\mod_quiz\\\\event\\\\attempt_submitted",
                    "event_function": None,
                }
            },
            "language": "en",
            "platform": "Moodle",
        },
        timestamp="2015-06-05T14:48:00+01:00",
    ),
    "an answer, with an id that is a URI of no web": said(
        object=QUESTION, result={"success": False, "response": "[a, b]", "duration": "PT3.5S"}
    ),
    "a video with a registration, in microseconds": said(
        context={"registration": "ae16cbd6-5f58-44f1-8302-5fc96f44f980", **within(parent=COURSE)},
        timestamp="2023-08-03T06:31:39.005451+00:00",
    ),
    "a group with all kinds of members": said(actor=TEAM, context={"team": TEAM}),
    "a statement about a person": said(
        object={"objectType": "Agent", "mbox": "mailto:ben@example.com"}
    ),
    "a wish, in a statement inside": said(object={"objectType": "SubStatement", **said()}),
}
REFUSED = {
    "a score whose least is its most (2.4.5.1)": (
        said(result={"score": {"raw": 0, "min": 0, "max": 0}}),
        "result.score min must be less than max",
    ),
    "an activity by a bare id (2.4.4.1)": (
        said(context=within(grouping=[{"id": "438AD672-DE2C-4F0B-8876-35444E7DD746"}])),
        "context.contextActivities.grouping[0].id must be an absolute IRI",
    ),
    "an objectType of one's own (2.4.4)": (
        said(object={**COURSE, "objectType": "GroupActivity"}),
        "object.objectType must be one of",
    ),
    "the same in a context (2.4.6.2)": (
        said(context=within(parent=[{**COURSE, "objectType": "GroupActivity"}])),
        "context.contextActivities.parent[0].objectType must be 'Activity'",
    ),
    "an activity without id (2.4.4.1)": (
        said(object={"objectType": "Activity"}),
        "object.id is required",
    ),
    "an example of a statement inside, by itself (2.4.4.3)": (
        {"objectType": "SubStatement", **said()},
        "objectType is not a property that belongs here",
    ),
    "a template's empty actor (2.4.2)": (said(actor={}), "actor needs exactly one of mbox"),
    "a template's placeholder (2.4.2.3)": (
        said(actor={"mbox": {"$templatePath": ["a", "actor", "mbox"]}}),
        "actor.mbox must be a string",
    ),
    "a language that is none (4.2)": (
        said(verb={"id": "http://x.example.org/v", "display": {"s-something": "x"}}),
        "must be a language tag (RFC 5646)",
    ),
}


def read(statement: dict[str, Any]) -> Valid | Invalid:
    (item,) = parse(json.dumps(statement).encode(), Limits(), new_id=new_id).items
    return item


@pytest.mark.parametrize("name", list(TAKEN))
def test_what_is_as_xapi_has_it_is_taken(name: str) -> None:
    item = read(TAKEN[name])
    assert isinstance(item, Valid), item


@pytest.mark.parametrize("name", list(REFUSED))
def test_what_is_refused_names_the_rule(name: str) -> None:
    statement, words = REFUSED[name]
    item = read(statement)
    assert isinstance(item, Invalid)
    assert any(words in str(problem) for problem in item.problems), item.problems
