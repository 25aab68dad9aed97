"""Decides what a launched player may state: of its own learner, session and activity. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pointsman.domain.errors import Forbidden
from pointsman.domain.launch import Launch, covers, same_actor
from pointsman.sources.batch import StatementBatch
from pointsman.sources.players.cmi5.vocabulary import SESSION_ID
from pointsman.statements import Valid, actor_of, digest
from pointsman.statements.activities import Activity
from pointsman.statements.statement import Context


def authorize_statements(launch: Launch, items: Sequence[Valid]) -> None:
    """Raises `Forbidden`, naming the statement, where one speaks of anything else."""
    for item in items:
        if (why := _foreign(launch, item)) is not None:
            place = "the statement" if item.index is None else f"statement {item.index}"
            raise Forbidden(f"{place} ({item.statement_id}): {why}")


def add_launch_context(batch: StatementBatch, launch: Launch) -> StatementBatch:
    """The batch with an id and the launch's registration in each statement that has none.

    And with the session ID, where the launch has one (cmi5 section 9.6.3.1).

    So a later reader finds the launch. What may be signed stays as it came.
    """
    if all(_keeps(item, launch) for item in batch.items):
        return batch
    statements: list[dict[str, Any]] = []
    items: list[Valid] = []
    for statement, item in zip(batch.statements, batch.items, strict=True):
        if not _keeps(item, launch):
            statement = _stamped(statement, item.statement_id, launch)  # noqa: PLW2901
            item = _as_stamped(item, statement)  # noqa: PLW2901
        statements.append(statement)
        items.append(item)
    return batch.rewritten(statements, items)


def _stamped(statement: dict[str, Any], statement_id: str, launch: Launch) -> dict[str, Any]:
    context = dict(statement.get("context", {}))
    context.setdefault("registration", launch.registration)
    if launch.session:
        context["extensions"] = dict(context.get("extensions", {}))
        context["extensions"].setdefault(SESSION_ID, launch.session)
    return {**statement, "id": statement_id, "context": context}


def _as_stamped(item: Valid, statement: dict[str, Any]) -> Valid:
    """The item of a stamped statement; what was stamped is valid, so nothing is validated again."""
    context = statement["context"]
    stamped = {
        "registration": context["registration"],
        "extensions": context.get("extensions"),
    }
    context_model = item.statement.context or Context()
    return replace(
        item,
        digest=digest(statement),
        statement=item.statement.model_copy(
            update={"id": statement["id"], "context": context_model.model_copy(update=stamped)}
        ),
    )


def _keeps(item: Valid, launch: Launch) -> bool:
    if item.statement.attachments:
        return True
    context = item.statement.context
    has_session = context is not None and SESSION_ID in (context.extensions or {})
    return _registration(item) is not None and (has_session or not launch.session)


def _registration(item: Valid) -> str | None:
    context = item.statement.context
    return context.registration if context is not None else None


def _foreign(launch: Launch, item: Valid) -> str | None:
    statement = item.statement
    actor = actor_of(statement.actor)
    if actor is None or not same_actor(actor, launch.actor):
        return "its actor is not the learner of this launch"
    registration = _registration(item)
    if registration is not None and registration.lower() != launch.registration:
        return f"its registration {registration} is not that of this launch"
    if not isinstance(statement.object, Activity):
        return "with a launch credential a statement must be about an activity"
    if not covers(launch, statement.object.id):
        return (
            f"its activity {statement.object.id[:200]} is neither {launch.activity} nor below it; "
            'if the player has to speak of it, name it in "activities" of the launch'
        )
    return None
