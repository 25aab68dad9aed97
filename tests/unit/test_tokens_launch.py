"""authTokens that launches bring: before all others, the newest wins, seen by every replica."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pydantic import SecretStr

from pointsman.domain.errors import NoToken
from pointsman.platforms.base import TokenProvider
from pointsman.platforms.tokens.fetched import FetchedToken
from pointsman.platforms.tokens.inline import InlineTokens
from pointsman.platforms.tokens.launch import LaunchTokens
from pointsman.platforms.tokens.settings import TokenEntry
from pointsman.platforms.tokens.vault import TokenCipher, new_key
from tests.support.manual_clock import ManualClock

ANA, BEN = "ana@example.com", "ben@example.com"
SEALER = TokenCipher([SecretStr(new_key())])


class Shelf:
    """A store of sealed tokens that replicas share, in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    async def read(self, learner: str) -> bytes | None:
        return self.kept.get(learner)

    async def put(self, learner: str, sealed: bytes) -> None:
        self.kept[learner] = sealed

    async def drop(self, learner: str, is_refused: Callable[[bytes], bool]) -> bytes | None:
        found = self.kept.get(learner)
        if found is not None and is_refused(found):
            del self.kept[learner]
        return self.kept.get(learner)


class World:
    """One replica."""

    def __init__(self, shelf: Shelf, behind: TokenProvider | None = None) -> None:
        self.clock = ManualClock()
        self.new: list[str] = []
        self.tokens = LaunchTokens(behind, shelf, SEALER, self.clock, self.new.extend)


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


async def test_the_token_of_the_newest_launch_is_used(shelf: Shelf) -> None:
    world = World(shelf)
    await world.tokens.give(ANA, FetchedToken("one"))
    await world.tokens.give(ANA, FetchedToken("two", "user_ana"))
    assert await world.tokens.token(ANA) == "two"
    assert await world.tokens.user_id(ANA) == "user_ana"
    assert world.new == [ANA, ANA]


async def test_it_is_sealed_for_its_learner_where_it_is_kept(shelf: Shelf) -> None:
    world = World(shelf)
    await world.tokens.give(ANA, FetchedToken("the-token"))
    assert b"the-token" not in shelf.kept[ANA]
    shelf.kept[BEN] = shelf.kept[ANA]
    with pytest.raises(NoToken):
        await world.tokens.token(BEN)


async def test_another_replica_finds_it_soon(shelf: Shelf) -> None:
    here, there = World(shelf), World(shelf)
    with pytest.raises(NoToken, match=ANA):
        await there.tokens.token(ANA)
    await here.tokens.give(ANA, FetchedToken("one"))
    there.clock.advance(6)
    assert await there.tokens.token(ANA) == "one"
    await here.tokens.give(ANA, FetchedToken("two"))
    assert await there.tokens.token(ANA) == "one"
    assert await there.tokens.refused(ANA, "one")
    assert await there.tokens.token(ANA) == "two"
    assert await here.tokens.token(ANA) == "two"


async def test_one_that_is_refused_is_forgotten(shelf: Shelf) -> None:
    world = World(shelf)
    await world.tokens.give(ANA, FetchedToken("one"))
    assert not await world.tokens.refused(ANA, "one")
    assert shelf.kept == {}
    with pytest.raises(NoToken, match="next one"):
        await world.tokens.token(ANA)


async def test_what_has_expired_is_not_used(shelf: Shelf) -> None:
    world = World(shelf, InlineTokens({ANA: TokenEntry(auth_token=SecretStr("inline"))}))
    await world.tokens.give(ANA, FetchedToken("one", expires_at=world.clock.now() + 60))
    assert await world.tokens.token(ANA) == "one"
    world.clock.advance(51)
    assert await world.tokens.token(ANA) == "inline"


async def test_the_source_behind_is_asked_where_launches_brought_nothing(shelf: Shelf) -> None:
    world = World(
        shelf, InlineTokens({ANA: TokenEntry(auth_token=SecretStr("inline"), user_id="user_ana")})
    )
    assert await world.tokens.token(ANA) == "inline"
    assert await world.tokens.user_id(ANA) == "user_ana"
    await world.tokens.give(ANA, FetchedToken("launched"))
    assert await world.tokens.token(ANA) == "launched"
    assert await world.tokens.user_id(ANA) == "user_ana"
    # the one behind is another one, so there is something to try
    assert await world.tokens.refused(ANA, "launched")
    assert await world.tokens.token(ANA) == "inline"
    with pytest.raises(NoToken, match="inline has none"):
        await world.tokens.token(BEN)


async def test_whose_user_id_no_launch_has_said_is_told_where_to_give_it(shelf: Shelf) -> None:
    world = World(shelf)
    await world.tokens.give(ANA, FetchedToken("one"))
    with pytest.raises(NoToken, match="userId"):
        await world.tokens.user_id(ANA)


class Steps(InlineTokens):
    """A source that notes how it is run."""

    def __init__(self) -> None:
        super().__init__({})
        self.steps: list[str] = []

    async def open(self) -> None:
        self.steps.append("open")

    async def run(self) -> None:
        self.steps.append("run")

    async def close(self) -> None:
        self.steps.append("close")


async def test_the_source_behind_is_opened_run_and_closed_with_it(shelf: Shelf) -> None:
    behind = Steps()
    for tokens in (World(shelf, behind).tokens, World(shelf).tokens):
        await tokens.open()
        await tokens.run()
        await tokens.close()
    assert behind.steps == ["open", "run", "close"]


async def test_of_a_world_of_learners_only_the_newest_are_remembered(shelf: Shelf) -> None:
    world = World(shelf)
    await world.tokens.give(ANA, FetchedToken("one"))
    shelf.kept[ANA] = SEALER.seal(ANA, FetchedToken("newer, of another replica"))
    assert await world.tokens.token(ANA) == "one"
    for number in range(20_000):
        with pytest.raises(NoToken):
            await world.tokens.token(f"learner-{number}")
    assert await world.tokens.token(ANA) == "newer, of another replica"
