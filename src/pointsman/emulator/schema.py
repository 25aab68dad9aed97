"""Builds the executable GraphQL schema from the SDL files, with scalars and resolvers."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from importlib import resources
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLEnumType,
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLString,
    build_schema,
    default_field_resolver,
    execute_sync,
)

from pointsman.domain.errors import Bug
from pointsman.emulator import mutations, queries
from pointsman.emulator.dates import iso, parse_date
from pointsman.emulator.resolver_context import ResolverContext

_CAPITAL = re.compile(r"(?<!^)(?=[A-Z])")
#: values of non-null fields that an object has no value for
_DEFAULTS = {"Boolean": False, "Int": 0, "Float": 0.0}

#: every field of the schema's Query and Mutation
RESOLVERS: dict[str, Callable[..., Any]] = {
    "ArchiveUserCourse": mutations.archive_user_course,
    "ArchiveUserLearningPath": mutations.archive_user_learning_path,
    "CreateLearningPath": mutations.create_learning_path,
    "CurrentUserLearningPathMilestoneCompletionsBySlug": queries.milestone_completions,
    "LearningPathBySlug": queries.learning_path_by_slug,
    "Login": mutations.login,
    "Milestone": queries.milestone,
    "PagesCompletedByCourse": queries.pages_completed_by_course,
    "ReinstateUserCourse": mutations.reinstate_user_course,
    "ReinstateUserLearningPath": mutations.reinstate_user_learning_path,
    "UpdateCourseStatus": mutations.update_course_status,
    "UpdateLearningPathAccess": mutations.update_learning_path_access,
    "UpdateTopicAndCourseProgress": mutations.update_topic_and_course_progress,
    "UpdateUserCourseMeetingAttendance": mutations.update_user_course_meeting_attendance,
    "UserCourseCompletionProgress": queries.user_course_completion_progress,
    "UserCourseProgress": queries.user_course_progress,
}


@cache
def load_schema() -> GraphQLSchema:
    """Build the schema from the package's SDL files; it holds no state, so one serves all."""
    files = sorted(resources.files(__package__).joinpath("sdl").iterdir(), key=lambda f: f.name)
    schema = build_schema("\n".join(file.read_text("utf-8") for file in files))

    date = schema.type_map["Date"]
    slug = schema.type_map["Slug"]
    if not isinstance(date, GraphQLScalarType) or not isinstance(slug, GraphQLScalarType):
        raise Bug("Date and Slug must be scalars of the schema")
    # graphql-core's way for schemas that come from SDL; its own __init__ needs the same ignore.
    date.parse_value = parse_date  # type: ignore[method-assign]
    date.serialize = iso  # type: ignore[method-assign,assignment]
    slug.parse_value = GraphQLString.parse_value  # type: ignore[method-assign]

    for root in (schema.query_type, schema.mutation_type):
        if root is None:
            raise Bug("the schema needs a Query and a Mutation")
        _set_resolvers(root)
    for kind in schema.type_map.values():
        if isinstance(kind, GraphQLObjectType) and not kind.name.startswith("__"):
            _set_default_resolvers(kind)
    return schema


def _set_resolvers(root: GraphQLObjectType) -> None:
    for name, field in root.fields.items():
        field.resolve = _unless_refused(RESOLVERS[name])
        for argument_name, argument in field.args.items():
            argument.out_name = _CAPITAL.sub("_", argument_name).lower()


def _unless_refused(resolver: Callable[..., Any]) -> Callable[..., Any]:
    def resolve(root: None, info: GraphQLResolveInfo, **arguments: Any) -> Any:
        info.context.next_field()
        return resolver(root, info, **arguments)

    return resolve


def _set_default_resolvers(kind: GraphQLObjectType) -> None:
    """Let non-null fields that an object says nothing of answer with something plain."""
    for field in kind.fields.values():
        if field.resolve is None and isinstance(field.type, GraphQLNonNull):
            field.resolve = _value_or_default(field)


def _value_or_default(field: GraphQLField) -> Callable[..., Any]:
    kind = field.type.of_type if isinstance(field.type, GraphQLNonNull) else field.type
    default: Any = "" if isinstance(kind, GraphQLScalarType) else None
    if isinstance(kind, GraphQLList):
        default = []
    elif isinstance(kind, GraphQLEnumType):
        default = next(iter(kind.values))
    elif isinstance(kind, GraphQLScalarType):
        default = _DEFAULTS.get(kind.name, "")

    def resolve(source: Any, info: Any, **arguments: Any) -> Any:
        value = default_field_resolver(source, info, **arguments)
        return default if value is None else value

    return resolve


def execute(
    schema: GraphQLSchema,
    document: DocumentNode,
    context: ResolverContext,
    *,
    variables: dict[str, object],
    operation_name: str | None,
) -> ExecutionResult:
    """Run a valid operation.

    The fields of a mutation run one after another, and the first failure of a non-null field
    ends it: the fields before it have run, those after it have not. graphql-core gives this to
    synchronous resolvers only, because the error is then raised through the loop over the
    fields; with asynchronous ones it has called them all before it looks at the first error.
    """
    return execute_sync(
        schema,
        document,
        context_value=context,
        variable_values=variables,
        operation_name=operation_name,
    )
