"""What every store can do for the record of operators' actions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import orjson

from pointsman.domain.operator_actions import ActionKind, OperatorAction


class OperatorActionStore(Protocol):
    """Who did what, when, and from where."""

    async def record_action(self, action: OperatorAction) -> int:
        """Remember that it begins, or that it was done; its number."""
        ...

    async def finish_action(self, action_id: int, outcome: str) -> None:
        """How it ended."""
        ...

    async def operator_actions(
        self, *, kind: ActionKind | None = None, learner: str = "", since: int = 0, limit: int
    ) -> list[OperatorAction]:
        """The newest first; of one kind or all, about one learner or all."""
        ...

    async def prune_actions(self, *, before: int) -> int:
        """Forget what was done before; how many."""
        ...


def action_values(action: OperatorAction) -> tuple[int, str, str, str, str, str, str]:
    """An action as the columns of its table, without its number."""
    details = orjson.dumps(dict(action.details)).decode()
    return (
        *(action.at, action.kind.value, action.who, action.origin),
        *(action.learner, details, action.outcome),
    )


def action_of_row(row: Mapping[str, Any]) -> OperatorAction:
    """What `action_values` made, with its number."""
    details = orjson.loads(row["details"])
    return OperatorAction(**{**row, "kind": ActionKind(row["kind"]), "details": details})
