from __future__ import annotations

from typing import Any

import pytest
from graphql import FragmentDefinitionNode, OperationDefinitionNode, parse

from pointsman.emulator.pricing import price
from pointsman.emulator.schema import load_schema

PAGES = "PagesCompletedByCourse(courseId: 1)"
TOPIC = "UpdateTopicAndCourseProgress(topicId: 1, progress: 1)"

COURSE = "UserCourseProgress(id: 1)"
SPREAD_TWICE = f"""
query {{ a: {COURSE} {{ ...F }} b: {COURSE} {{ ...F }} }}
fragment F on UserProgress {{ totalViews totalTime }}
"""
NESTED = f"""
mutation {{ ...A ...A }}
fragment A on Mutation {{ ...B x: {TOPIC} }}
fragment B on Mutation {{ y: {TOPIC} z: {TOPIC} }}
"""
BY_VARIABLE = f"""
mutation ($yes: Boolean!) {{ a: {TOPIC} @include(if: $yes) b: {TOPIC} @skip(if: $yes) }}
"""
FRAGMENT_LEFT_OUT = f"""
query ($no: Boolean!) {{ {PAGES} {{ __typename ... @include(if: $no) {{ id title }} }} }}
"""
INLINE = f"{{ {PAGES} {{ ... on TextPage {{ id title }} ... on QuizPage {{ id }} }} }}"
USER = """
mutation {
  UpdateUserCourseMeetingAttendance(userId: 1, meetingId: 1, attended: true) {
    id ...Lists
  }
}
fragment Lists on User { attendedMeetings { user { purchasedCourses { status } } } }
"""

CASES: list[tuple[str, str, dict[str, Any], int]] = [
    ("a scalar mutation is one", f"mutation {{ {TOPIC} }}", {}, 1),
    ("every alias is one", f"mutation {{ a: {TOPIC} b: {TOPIC} c: {TOPIC} }}", {}, 3),
    ("login is one", 'mutation { Login(email: "e", password: "p") }', {}, 1),
    (
        "progress pays five more",
        f"{{ {COURSE} {{ totalViews totalTime percentComplete }} }}",
        {},
        9,
    ),
    (
        "each alias pays the extra",
        f"{{ a: {COURSE} {{ totalViews }} b: {COURSE} {{ x }} }}",
        {},
        14,
    ),
    ("completed pages pay three more", f"{{ {PAGES} {{ __typename }} }}", {}, 5),
    (
        "completion progress pays five more",
        "{ UserCourseCompletionProgress(id: 1) { type percent } }",
        {},
        8,
    ),
    ("a user's own lists pay three more each", USER, {}, 12),
    ("only a user's", "{ Milestone(id: 1) { learningPath { client { name } } } }", {}, 4),
    ("inline fragments add up", INLINE, {}, 7),
    ("a fragment costs at every spread", SPREAD_TWICE, {}, 16),
    ("fragments in fragments", NESTED, {}, 6),
    ("a skipped field is free", f"mutation {{ a: {TOPIC} @skip(if: true) b: {TOPIC} }}", {}, 1),
    ("a field not included is free", f"mutation {{ a: {TOPIC} @include(if: false) }}", {}, 0),
    ("a condition may be a variable", BY_VARIABLE, {"yes": True}, 1),
    ("a condition may leave out a fragment", FRAGMENT_LEFT_OUT, {"no": False}, 5),
]


@pytest.mark.parametrize(
    ("document", "variables", "points"),
    [pytest.param(*case, id=name) for name, *case in CASES],
)
def test_a_document_has_its_price(document: str, variables: dict[str, Any], points: int) -> None:
    assert _price(document, variables) == points


def test_fragments_that_double_at_every_level_are_priced_at_once() -> None:
    levels = 60
    fragments = " ".join(
        f"fragment F{n} on Mutation {{ ...F{n + 1} ...F{n + 1} }}" for n in range(levels)
    )
    document = f"mutation {{ ...F0 }} {fragments} fragment F{levels} on Mutation {{ {TOPIC} }}"
    assert _price(document, {}) == 2**levels


def _price(document: str, variables: dict[str, Any]) -> int:
    definitions = parse(document).definitions
    (operation,) = (each for each in definitions if isinstance(each, OperationDefinitionNode))
    fragments = {
        each.name.value: each for each in definitions if isinstance(each, FragmentDefinitionNode)
    }
    return price(load_schema(), operation, fragments, variables)
