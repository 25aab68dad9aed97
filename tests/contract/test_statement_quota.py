"""What launches store of statements is bounded, on all replicas together and after a restart."""

from __future__ import annotations

from pointsman.sources.players.statement_quota import StatementBytes, StatementQuota
from pointsman.store.base import OverQuota, Store
from tests.support.manual_clock import ManualClock

ALLOWED = StatementBytes(1_000_000, 1_500_000)
OF_ONE, OF_DAY = (
    OverQuota("statement_bytes", 1_000_000),
    OverQuota("learner_statement_bytes", 1_500_000),
)


async def test_a_registration_is_full_whichever_replica_is_asked(store: Store) -> None:
    clock = ManualClock()
    one, other = (StatementQuota(store, ALLOWED, clock) for _ in range(2))
    for replica in (one, other) * 5:
        assert await replica.charge("r1", "ana", 100_000) is None
    assert await one.charge("r1", "ana", 100_000) == OF_ONE
    assert await StatementQuota(store, ALLOWED, clock).charge("r1", "ana", 1) == OF_ONE
    assert await other.charge("r2", "ana", 400_000) is None


async def test_a_learner_is_full_for_the_day_with_whichever_registration(store: Store) -> None:
    clock = ManualClock()
    quota = StatementQuota(store, ALLOWED, clock)
    for number in range(15):
        assert await quota.charge(f"r{number}", "ana", 100_000) is None
    assert await quota.charge("r15", "Ana", 100_000) == OF_DAY
    assert await quota.charge("r15", "ben", 100_000) is None
    clock.advance(86_400)
    assert await quota.charge("r15", "ana", 100_000) is None


async def test_ordinary_statements_are_written_down_now_and_then(store: Store) -> None:
    clock = ManualClock()
    quota = StatementQuota(store, ALLOWED, clock)
    for _ in range(64):
        assert await quota.charge("r1", "ana", 1_000) is None
    assert await store.named_documents(("usage",), ["r1"]) == {}
    for _ in range(2):
        assert await quota.charge("r1", "ana", 1_000) is None
    (document,) = (await store.named_documents(("usage",), ["r1"])).values()
    assert int(document.content) == 66_000
