"""Ids of statements that pointsman makes can be made by nobody who lacks the store's secret."""

from __future__ import annotations

import uuid

from hypothesis import given
from hypothesis import strategies as st

from pointsman.domain.statement_ids import StatementIds, former_ids

NAMESPACE = uuid.UUID("0a3a7a0e-3a56-5d5c-9e4b-6f7d1c3b8e21")
OTHER = uuid.UUID("5d1c1f0e-8a63-4a5f-9d2b-6f0a0f3f7a11")
NAMES = st.text(st.characters(exclude_categories=["Cs"]))


@given(NAMES, st.binary(min_size=32, max_size=32))
def test_the_same_name_has_the_same_id_with_the_same_secret_only(name: str, secret: bytes) -> None:
    made = StatementIds(secret).derive(NAMESPACE, name)
    assert made == StatementIds(secret).derive(NAMESPACE, name)
    assert made != StatementIds(secret[::-1] + b"x").derive(NAMESPACE, name)
    assert made != StatementIds(secret).derive(OTHER, name)
    assert made != str(uuid.uuid5(NAMESPACE, name))
    assert (uuid.UUID(made).version, uuid.UUID(made).variant) == (5, uuid.RFC_4122)


def test_ids_of_before_are_known_where_an_earlier_version_wrote_the_store() -> None:
    upgraded = StatementIds(b"secret", former_until=7).derive(NAMESPACE, "event 1")
    assert former_ids([{"id": upgraded}, {"id": "said by a player"}, {}]) == {
        str(upgraded): str(uuid.uuid5(NAMESPACE, "event 1"))
    }
    assert former_ids([{"id": StatementIds(b"secret").derive(NAMESPACE, "event 1")}]) == {}


def test_the_secret_is_not_shown() -> None:
    assert "secret'" not in repr(StatementIds(b"secret"))
