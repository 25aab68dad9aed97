"""What a request costs in points, read from its document alone.

Every requested property is 1 point: each field as it is written, under every alias and in every
fragment, at each place where the fragment is spread; `__typename` too. The properties of a list
are charged once, not once an item. Some fields cost more. What `@skip` and `@include` leave out
is free.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphql import (
    BooleanValueNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
)

from pointsman.domain.errors import Bug
from pointsman.platforms.helium.operations import EXTRA_POINTS


def price(
    schema: GraphQLSchema,
    operation: OperationDefinitionNode,
    fragments: Mapping[str, FragmentDefinitionNode],
    variables: Mapping[str, Any],
) -> int:
    """The points of a valid operation; `variables` are coerced, so they hold the defaults."""
    root = schema.get_root_type(operation.operation)
    return _Walk(schema, fragments, variables).selections(operation.selection_set, root)


class _Walk:
    def __init__(
        self,
        schema: GraphQLSchema,
        fragments: Mapping[str, FragmentDefinitionNode],
        variables: Mapping[str, Any],
    ) -> None:
        self._schema = schema
        self._fragments = fragments
        self._variables = variables
        # A fragment costs the same wherever it is spread. Priced once, so that fragments which
        # spread fragments can't make the walk exponential.
        self._priced: dict[str, int] = {}

    def selections(
        self, selection_set: SelectionSetNode | None, parent: GraphQLNamedType | None
    ) -> int:
        if selection_set is None:
            return 0
        return sum(self._selection(each, parent) for each in selection_set.selections)

    def _selection(self, node: SelectionNode, parent: GraphQLNamedType | None) -> int:
        if node.directives and not self._included(node):
            return 0
        if isinstance(node, FieldNode):
            return self._field(node, parent)
        if isinstance(node, InlineFragmentNode):
            condition = node.type_condition
            inside = self._schema.get_type(condition.name.value) if condition else parent
            return self.selections(node.selection_set, inside)
        if isinstance(node, FragmentSpreadNode):
            name = node.name.value
            if name not in self._priced:
                fragment = self._fragments[name]
                inside = self._schema.get_type(fragment.type_condition.name.value)
                self._priced[name] = self.selections(fragment.selection_set, inside)
            return self._priced[name]
        raise Bug(f"a selection that GraphQL does not know: {node.kind}")

    def _field(self, node: FieldNode, parent: GraphQLNamedType | None) -> int:
        name = node.name.value
        extra = EXTRA_POINTS.get((parent.name, name), 0) if parent is not None else 0
        inside = None
        if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType) and name in parent.fields:
            inside = get_named_type(parent.fields[name].type)
        return 1 + extra + self.selections(node.selection_set, inside)

    def _included(self, node: SelectionNode) -> bool:
        for directive in node.directives:
            if directive.name.value not in {"skip", "include"}:
                continue
            condition = directive.arguments[0].value
            if isinstance(condition, VariableNode):
                holds = bool(self._variables.get(condition.name.value))
            else:
                holds = isinstance(condition, BooleanValueNode) and condition.value
            if holds is (directive.name.value == "skip"):
                return False
        return True
