"""Tokens at rest: sealed for one learner, opened by any key, sealed anew by the first."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from pydantic import SecretStr

from pointsman.domain.records import SealedToken
from pointsman.platforms.tokens.fetched import FetchedToken
from pointsman.platforms.tokens.vault import EncryptedVault, TokenCipher, new_key
from tests.support.manual_clock import NOON, ManualClock

OLD, NEW, OTHER = new_key(), new_key(), new_key()
ANA, BEN = "ana@example.com", "ben@example.com"
TOKEN = FetchedToken("a-secret-token", "u1", NOON + 60)


class Table:
    """The store's two methods."""

    def __init__(self) -> None:
        self.rows: dict[str, SealedToken] = {}

    async def read(self) -> list[SealedToken]:
        return list(self.rows.values())

    async def write(self, rows: Sequence[SealedToken], gone: Sequence[str]) -> None:
        for learner in gone:
            self.rows.pop(learner, None)
        self.rows.update({row.learner: row for row in rows})


def vault(table: Table, *keys: str, clock: ManualClock | None = None) -> EncryptedVault:
    return EncryptedVault(
        TokenCipher([SecretStr(key) for key in keys]),
        clock or ManualClock(),
        table.read,
        table.write,
    )


def test_a_seal_opens_for_its_learner_alone_and_shows_nothing() -> None:
    sealer = TokenCipher([SecretStr(NEW)])
    sealed = sealer.seal(ANA, TOKEN)
    assert b"secret" not in sealed
    assert sealer.open(ANA, sealed) == TOKEN
    assert sealer.open(BEN, sealed) is None
    assert sealer.open(ANA, sealed[:-1] + b"A") is None
    assert TokenCipher([SecretStr(OTHER)]).open(ANA, sealed) is None
    assert "secret" not in repr(TOKEN)


def test_what_is_no_key_is_refused() -> None:
    with pytest.raises(ValueError, match="32 url-safe"):
        TokenCipher([SecretStr("short")])


async def test_a_key_is_rotated_by_putting_the_new_one_in_front() -> None:
    table = Table()
    await vault(table, OLD).save({ANA: TOKEN})
    before = table.rows[ANA].sealed
    assert await vault(table, NEW, OLD).load() == {ANA: TOKEN}
    assert table.rows[ANA].sealed != before
    assert await vault(table, NEW).load() == {ANA: TOKEN}


async def test_what_no_key_opens_or_has_expired_is_dropped() -> None:
    table, clock = Table(), ManualClock()
    await vault(table, OLD).save({ANA: TOKEN, BEN: FetchedToken("b")})
    clock.seconds = 60
    assert await vault(table, OLD, clock=clock).load() == {BEN: FetchedToken("b")}
    assert set(table.rows) == {BEN}
    assert await vault(table, OTHER).load() == {}
    assert table.rows == {}


async def test_a_token_that_was_moved_to_another_learners_row_is_dropped() -> None:
    table = Table()
    await vault(table, NEW).save({ANA: TOKEN})
    moved = table.rows.pop(ANA)
    table.rows[BEN] = SealedToken(BEN, moved.sealed, moved.stored_at, moved.expires_at)
    assert await vault(table, NEW).load() == {}
