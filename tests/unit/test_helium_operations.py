"""The table of operations, held against the platform's page, its schema, and our own documents."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from graphql import (
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    build_schema,
    parse,
    validate,
)

from pointsman.domain.targets import Target, TargetKind
from pointsman.emulator.pricing import price as charge
from pointsman.emulator.schema import load_schema
from pointsman.platforms.base import Mutation
from pointsman.platforms.helium.documents import document, price
from pointsman.platforms.helium.operations import OPERATIONS

ROOT = Path(__file__).parent.parent.parent
DATA = ROOT / "tests/data/platform"
EXAMPLES = {
    one["operation"]: one for one in json.loads((DATA / "examples.json").read_text("utf-8"))
}
#: what the schema of 2023 does not have yet, by the words of a validation error
LACKING = (
    "Cannot query field 'UpdateCourseStatus'",
    "Cannot query field 'unitAmount' on type 'ItemPrice'",
    "Cannot query field 'isDefault' on type 'ItemPrice'",
    "Cannot query field 'createdAt' on type 'Milestone'",
    "Cannot query field 'updatedAt' on type 'Milestone'",
    "Field 'UpdateUserCourseMeetingAttendance' must not have a selection",
)
DELIVERED = [
    Mutation(Target(TargetKind.TOPIC_PROGRESS, "t"), 5),
    *(
        Mutation(Target(TargetKind.COURSE_STATUS, f"{by}:c"), "started", occurred_at=at)
        for by in ("id", "slug", "sku")
        for at in (None, 0)
    ),
    Mutation(Target(TargetKind.LEARNING_PATH_ACCESS, "p"), "started"),
    *(
        Mutation(
            Target(TargetKind.MEETING_ATTENDANCE, f"{course} w"),
            "attended",
            meeting_id="m",
            user_id="u",
        )
        for course in ("", "c")
    ),
    *(
        Mutation(Target(kind, "x"), value, again=again)
        for kind in (TargetKind.COURSE_ARCHIVED, TargetKind.LEARNING_PATH_ARCHIVED)
        for value, again in (("archived", False), ("archived", True), ("active", False))
    ),
]
DOCUMENTS = {
    **{f"call {name}": one.document() for name, one in OPERATIONS.items()},
    "delivery": document(DELIVERED, 1e9).query,
    **{f"page {name}": one["document"] for name, one in EXAMPLES.items()},
}


@pytest.fixture(scope="module")
def reference() -> GraphQLSchema:
    return build_schema((DATA / "reference.graphql").read_text("utf-8"))


@pytest.fixture(scope="module")
def published() -> GraphQLSchema:
    return build_schema((DATA / "published-2023.graphql").read_text("utf-8"))


def problems(schema: GraphQLSchema, text: str) -> list[str]:
    return [error.message for error in validate(schema, parse(text), max_errors=1_000)]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_is_valid_on_the_reference_page(reference: GraphQLSchema, name: str) -> None:
    assert problems(reference, DOCUMENTS[name]) == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_is_valid_in_the_published_schema_but_for_what_that_lacks(
    published: GraphQLSchema, name: str
) -> None:
    left = [one for one in problems(published, DOCUMENTS[name]) if not one.startswith(LACKING)]
    assert left == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_is_valid_on_the_emulator(name: str) -> None:
    assert problems(load_schema(), DOCUMENTS[name]) == []


def test_the_table_holds_the_pages_operations_with_their_arguments_and_answers(
    reference: GraphQLSchema,
) -> None:
    roots: dict[str, GraphQLObjectType | None] = {
        "query": reference.query_type,
        "mutation": reference.mutation_type,
    }
    found = {
        (kind, name): (tuple((n, str(a.type)) for n, a in field.args.items()), str(field.type))
        for kind, root in roots.items()
        if root is not None
        for name, field in root.fields.items()
    }
    assert found == {
        (one.kind, one.name): (one.arguments, one.returns) for one in OPERATIONS.values()
    }
    assert len(OPERATIONS) == 15


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operations_price_is_what_the_emulator_charges(name: str) -> None:
    assert charged(OPERATIONS[name].document()) == OPERATIONS[name].points


def test_the_deliverys_price_is_what_the_emulator_charges() -> None:
    for mutation in DELIVERED:
        assert price([mutation]) == charged(document([mutation], 1e9).query)
    assert price(DELIVERED) == charged(document(DELIVERED, 1e9).query)


def charged(text: str) -> int:
    (operation,) = parse(text).definitions
    assert isinstance(operation, OperationDefinitionNode)
    return charge(load_schema(), operation, {}, {})


def test_every_target_is_served_by_an_operation() -> None:
    targets = {one.serves.removeprefix("target ") for one in OPERATIONS.values()}
    assert {kind.value for kind in TargetKind} <= targets


def test_the_page_in_the_docs_has_a_row_for_each_with_a_test_that_exists() -> None:
    rows = {
        cells[0].strip("` "): [cell.strip() for cell in cells[1:]]
        for line in (ROOT / "docs/platform.md").read_text("utf-8").splitlines()
        if line.startswith("| `")
        for cells in [line.strip("|").split("|")]
        if re.fullmatch(r" `[A-Z]\w+` ", cells[0])
    }
    assert rows.keys() == OPERATIONS.keys()
    for name, (points, serves, test) in rows.items():
        one = OPERATIONS[name]
        expected = f"{1 + one.extra_points}" if not one.selection else f"{one.points}"
        if name == "UpdateUserCourseMeetingAttendance":
            expected = "8"  # delivery asks for the id and the meetings alone
        assert points == expected, name
        assert serves.strip("`") == one.serves, name
        found = re.fullmatch(r"`([\w/.]+)::(\w+)`", test)
        assert found is not None, test
        text = (ROOT / "tests" / found[1]).read_text("utf-8")
        assert re.search(rf"^(async )?def {found[2]}\(", text, re.MULTILINE), test
