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
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    VariableNode,
)

from pointsman.errors import Bug

#: points on top of the 1 of the field itself
EXTRA = {"PagesCompletedByCourse": 3, "UserCourseProgress": 5}


def price(
    operation: OperationDefinitionNode,
    fragments: Mapping[str, FragmentDefinitionNode],
    variables: Mapping[str, Any],
) -> int:
    """The points of a valid operation; `variables` are coerced, so they hold the defaults."""
    return _Walk(fragments, variables).selections(operation.selection_set)


class _Walk:
    def __init__(
        self, fragments: Mapping[str, FragmentDefinitionNode], variables: Mapping[str, Any]
    ) -> None:
        self._fragments = fragments
        self._variables = variables
        # A fragment costs the same wherever it is spread. Priced once, so that fragments which
        # spread fragments can't make the walk exponential.
        self._priced: dict[str, int] = {}

    def selections(self, selection_set: SelectionSetNode | None) -> int:
        if selection_set is None:
            return 0
        return sum(self._selection(each) for each in selection_set.selections)

    def _selection(self, node: SelectionNode) -> int:
        if node.directives and not self._included(node):
            return 0
        if isinstance(node, FieldNode):
            return 1 + EXTRA.get(node.name.value, 0) + self.selections(node.selection_set)
        if isinstance(node, InlineFragmentNode):
            return self.selections(node.selection_set)
        if isinstance(node, FragmentSpreadNode):
            name = node.name.value
            if name not in self._priced:
                self._priced[name] = self.selections(self._fragments[name].selection_set)
            return self._priced[name]
        raise Bug(f"a selection that GraphQL does not know: {node.kind}")

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
