"""The models of activities and their definitions (xAPI Part 2 section 2.4.4.1)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from pointsman.statements.data_types import (
    NOT_NULL,
    Iri,
    JsonObject,
    LanguageMap,
    OptionalExtensions,
    OptionalIri,
    OptionalMap,
    Text,
)


class InteractionComponent(JsonObject):
    """A choice, a step, a point on a scale, or one side of a match."""

    id: Text
    description: Annotated[LanguageMap | None, NOT_NULL] = None


def _ids_differ(components: list[InteractionComponent]) -> list[InteractionComponent]:
    ids = [component.id for component in components]
    if len(set(ids)) < len(ids):
        raise ValueError("must not use an id twice")
    return components


Components = Annotated[
    list[InteractionComponent] | None, NOT_NULL, AfterValidator(lambda c: c and _ids_differ(c))
]


class Definition(JsonObject):
    """Of an activity that is no interaction."""

    name: OptionalMap = None
    description: OptionalMap = None
    type: OptionalIri = None
    more_info: OptionalIri = None
    extensions: OptionalExtensions = None


class Interaction(Definition):
    """true-false, fill-in, long-fill-in, numeric and other have no components."""

    interaction_type: Literal["true-false", "fill-in", "long-fill-in", "numeric", "other"]
    correct_responses_pattern: Annotated[list[Text] | None, NOT_NULL] = None


class Choosing(Definition):
    interaction_type: Literal["choice", "sequencing"]
    correct_responses_pattern: Annotated[list[Text] | None, NOT_NULL] = None
    choices: Components = None


class Likert(Definition):
    interaction_type: Literal["likert"]
    correct_responses_pattern: Annotated[list[Text] | None, NOT_NULL] = None
    scale: Components = None


class Matching(Definition):
    interaction_type: Literal["matching"]
    correct_responses_pattern: Annotated[list[Text] | None, NOT_NULL] = None
    source: Components = None
    target: Components = None


class Performance(Definition):
    interaction_type: Literal["performance"]
    correct_responses_pattern: Annotated[list[Text] | None, NOT_NULL] = None
    steps: Components = None


AnyDefinition = Annotated[
    Definition | Interaction | Choosing | Likert | Matching | Performance,
    Field(union_mode="left_to_right"),
]


class Activity(JsonObject):
    """Something that a learner does something with; `id` is its IRI."""

    object_type: Annotated[Literal["Activity"] | None, NOT_NULL] = None
    id: Iri
    definition: Annotated[AnyDefinition | None, NOT_NULL] = None
