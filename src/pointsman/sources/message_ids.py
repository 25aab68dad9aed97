"""Makes ids for the statements of a message that bring none, and may be read twice."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable

from pointsman.domain.statement_ids import StatementIds

_NAMESPACE = uuid.UUID("5d1c1f0e-8a63-4a5f-9d2b-6f0a0f3f7a11")


def message_ids(
    ids: StatementIds, origin: str, body: bytes, former: dict[str, str]
) -> Callable[[], str]:
    """Ids made of the message's place and content; those of earlier versions go to `former`."""
    content = ""
    count = 0

    def new_id() -> str:
        nonlocal content, count
        # most messages bring the ids of all their statements
        content = content or hashlib.sha256(body).hexdigest()
        count += 1
        made = ids.derive(_NAMESPACE, f"{origin} {count} {content}")
        if made.former:
            former[str(made)] = made.former
        return str(made)

    return new_id
