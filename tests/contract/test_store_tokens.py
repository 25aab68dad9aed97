"""Every store keeps sealed tokens."""

from __future__ import annotations

from pointsman.domain.records import SealedToken
from pointsman.store.base import Store

ANA = SealedToken("ana@example.com", b"\x00sealed", 1, 5)
BEN = SealedToken("ben@example.com", b"sealed", 2, None)


async def test_tokens_are_kept_replaced_and_forgotten(store: Store) -> None:
    assert await store.sealed_tokens() == []
    await store.save_sealed_tokens([ANA, BEN], [])
    assert sorted(await store.sealed_tokens(), key=lambda one: one.learner) == [ANA, BEN]
    newer = SealedToken(ANA.learner, b"newer", 3, 9)
    await store.save_sealed_tokens([newer], [BEN.learner, "nobody"])
    assert await store.sealed_tokens() == [newer]
