"""Mutations as one GraphQL document: aliases, and variables for every value.

The text depends on the kinds of the mutations only, never on a value, so a few texts serve all
traffic. Mutations run in their order, one after another (GraphQL, section 6.2.2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pointsman.model import TargetKind
from pointsman.platforms.base import Mutation

OPERATION = "Deliver"


@dataclass(frozen=True, slots=True)
class Document:
    """What goes into the request's body, and the alias of each mutation in order."""

    query: str
    variables: dict[str, Any]
    aliases: tuple[str, ...]


def document(mutations: Sequence[Mutation]) -> Document:
    """One request for these mutations, in this order."""
    variables: dict[str, Any] = {}
    shape: list[str] = []
    for place, mutation in enumerate(mutations):
        if mutation.target.kind is TargetKind.TOPIC_PROGRESS:
            shape.append("topic")
            variables[f"topic{place}"] = mutation.target.key
            variables[f"progress{place}"] = mutation.value
        else:
            by, _, key = mutation.target.key.partition(":")
            shape.append(by)
            variables[f"course{place}"] = key
            variables[f"status{place}"] = mutation.value
    return Document(_text(tuple(shape)), variables, tuple(map(alias, range(len(mutations)))))


def alias(place: int) -> str:
    """The alias of the mutation at `place`."""
    return f"m{place}"


_COURSE_TYPES = {"id": "ID!", "slug": "Slug!", "sku": "String!"}


@lru_cache(maxsize=1024)
def _text(shape: tuple[str, ...]) -> str:
    declared: list[str] = []
    fields: list[str] = []
    for place, one in enumerate(shape):
        if one == "topic":
            declared += [f"$topic{place}: ID!", f"$progress{place}: Int!"]
            fields.append(
                f"{alias(place)}: UpdateTopicAndCourseProgress"
                f"(topicId: $topic{place}, progress: $progress{place})"
            )
        else:
            declared += [f"$course{place}: {_COURSE_TYPES[one]}", f"$status{place}: String!"]
            fields.append(
                f"{alias(place)}: UpdateCourseStatus({one}: $course{place}, status: $status{place})"
            )
    return f"mutation {OPERATION}({', '.join(declared)}) {{\n  " + "\n  ".join(fields) + "\n}"
