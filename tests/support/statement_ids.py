"""Ids of statements that are made here, with a secret that tests know."""

from __future__ import annotations

from pointsman.domain.statement_ids import StatementIds

IDS = StatementIds(b"the secret of the tests")
