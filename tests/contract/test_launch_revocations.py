"""A launch that is revoked opens nothing, on whichever replica, whatever the clocks say."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pydantic import SecretStr

from pointsman.domain.launch import Launch, Revoked
from pointsman.sources.http.authorization import Authenticator, RequestAuthorizer
from pointsman.sources.http.failed_attempts import FailedAttempts
from pointsman.sources.players import CredentialIssuer, LaunchCache, Purpose
from pointsman.sources.players.credentials import CredentialRevoked
from pointsman.sources.players.revocations import revoke_learner, revoke_registration
from pointsman.store.base import Store
from tests.support.launch_factory import REGISTRATION
from tests.support.launch_factory import launch as launched
from tests.support.manual_clock import NOON, ManualClock

OTHER = "11111111-1111-4111-8111-111111111111"


class Replica:
    """One daemon's memory of launches, with a clock of its own."""

    def __init__(self, store: Store, ahead: float = 0) -> None:
        self.clock = ManualClock(NOON + ahead)
        self.launches = LaunchCache(store, self.clock)
        self.issuer = CredentialIssuer([SecretStr("k" * 32)], self.clock)
        self.authorizer = RequestAuthorizer(
            Authenticator([], FailedAttempts(9, self.clock)), self.issuer, self.launches
        )

    async def launch(self, launch: Launch) -> str:
        """Its credential, as POST /launches issues it."""
        _, revoked = await self.launches.newest(launch.registration, launch.learner)
        launch = replace(launch, revoked=revoked, expires_at=2**60)
        assert await self.launches.save(launch) is None
        return self.issuer.issue(launch, Purpose.XAPI)

    async def opens(self, credential: str) -> bool:
        try:
            await self.authorizer.launch(credential, Purpose.XAPI)
        except CredentialRevoked:
            return False
        return True


@pytest.mark.parametrize("skew", [-3_600, 0, 3_600])
async def test_every_replica_knows_a_revocation_at_once(store: Store, skew: float) -> None:
    one, other = Replica(store), Replica(store, ahead=skew)
    first = await one.launch(launched())
    second = await one.launch(launched(registration=OTHER))
    assert await other.opens(first)
    await revoke_registration(store, REGISTRATION.upper(), other.clock)
    for replica in (one, other):
        assert (await replica.opens(first), await replica.opens(second)) == (False, True)
    again = await one.launch(launched())
    for replica in (one, other):
        assert (await replica.opens(first), await replica.opens(again)) == (False, True)
    await revoke_learner(store, "ANA@example.com", one.clock)
    for replica in (one, other):
        assert not any([await replica.opens(shown) for shown in (first, second, again)])
    assert await other.opens(await other.launch(launched()))


async def test_each_revocation_is_a_higher_number_than_the_one_before(store: Store) -> None:
    replica = Replica(store)
    numbers = []
    for _ in range(3):
        await revoke_registration(store, REGISTRATION, replica.clock)
        _, revoked = await replica.launches.newest(REGISTRATION, "ana@example.com")
        numbers.append(revoked.registration)
    assert numbers == sorted(set(numbers))
    assert Revoked(2, 1).is_after(Revoked(1, 5))
    assert not Revoked(1, 1).is_after(Revoked(1, 1))
