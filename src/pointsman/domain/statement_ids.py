"""Makes the ids of statements that pointsman writes itself, with a secret of the installation.

Nobody outside can say a statement with such an id before pointsman does: the id is taken for all.
"""

from __future__ import annotations

import hashlib
import hmac
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

#: of an RFC 9562 UUID that is a hash of a name
_VERSION = 5


class DerivedId(str):
    """A statement's id, which knows the id that earlier versions gave the same statement, or ""."""

    __slots__ = ("former",)
    former: str

    def __new__(cls, statement_id: str, former: str) -> Self:
        made = super().__new__(cls, statement_id)
        made.former = former
        return made


@dataclass(frozen=True, slots=True)
class StatementIds:
    """The same name has the same id, in each replica and after a restart.

    Earlier versions made ids that everybody could: of what was stored before `former_until`
    (microseconds since the epoch), which is 0 where no earlier version wrote the store.
    """

    secret: bytes = field(repr=False)
    former_until: int = 0

    def derive(self, namespace: uuid.UUID, name: str) -> DerivedId:
        """`namespace` keeps apart what is named for different purposes."""
        key = hmac.new(self.secret, namespace.bytes + name.encode(), hashlib.sha256)
        made = uuid.UUID(bytes=key.digest()[:16], version=_VERSION)
        former = str(uuid.uuid5(namespace, name)) if self.former_until else ""
        return DerivedId(str(made), former)


def former_ids(statements: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The former ids of statements that were made here, by their ids."""
    made_here = (statement.get("id") for statement in statements)
    return {
        str(made): made.former for made in made_here if isinstance(made, DerivedId) and made.former
    }
