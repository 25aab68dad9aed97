"""authTokens that are fetched: kept, renewed, waited for, and written down. In virtual time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
import structlog

from pointsman.domain.errors import NoToken, StoreUnavailable, TokenDelayed
from pointsman.platforms.tokens.breaker import TokenSourceDown
from pointsman.platforms.tokens.fetched import FetchedToken, FetchedTokens
from tests.support.virtual_time import VirtualClock, run_virtually

ANA = "ana@example.com"


class Source:
    """A fetcher that gives what a test says, a second later."""

    def __init__(self) -> None:
        self.gives: dict[str, FetchedToken | Exception] = {ANA: FetchedToken("one", "u1")}
        self.asked: list[str] = []
        self.at_once = 0
        self.most_at_once = 0

    async def fetch(self, learner: str) -> FetchedToken:
        self.asked.append(learner)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(1)
        self.at_once -= 1
        found = self.gives.get(learner, NoToken(f"none for {learner}"))
        if isinstance(found, Exception):
            raise found
        return found

    async def close(self) -> None:
        pass


class Shelf:
    """A vault in memory; it fails as often as it is told."""

    def __init__(self) -> None:
        self.kept: dict[str, FetchedToken] = {}
        self.fails = 0

    async def load(self) -> dict[str, FetchedToken]:
        return dict(self.kept)

    async def save(self, changed: dict[str, FetchedToken | None]) -> None:
        if self.fails:
            self.fails -= 1
            raise StoreUnavailable("the disk is full")
        for learner, one in changed.items():
            if one is None:
                self.kept.pop(learner, None)
            else:
                self.kept[learner] = one


@asynccontextmanager
async def tokens(
    source: Source, shelf: Shelf | None = None
) -> AsyncIterator[tuple[FetchedTokens, list[str]]]:
    """A provider that is watched, and whose token it said to be new."""
    new: list[str] = []
    made = FetchedTokens(source, VirtualClock(), new.extend, shelf)
    await made.open()
    task = asyncio.create_task(made.run())
    yield made, new
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    await made.close()


def test_a_token_is_fetched_once_and_kept_until_it_expires() -> None:
    async def main() -> None:
        source = Source()
        source.gives[ANA] = FetchedToken("one", "u1", VirtualClock().now() + 100)
        async with tokens(source) as (provider, _):
            assert await provider.token(ANA) == "one"
            assert await provider.user_id(ANA) == "u1"
            await asyncio.sleep(80)
            assert await provider.token(ANA) == "one"
            assert source.asked == [ANA]
            await asyncio.sleep(15)  # close to its end it is no longer used
            await provider.token(ANA)
            assert source.asked == [ANA, ANA]

    run_virtually(main())


def test_many_who_ask_for_one_learner_share_a_fetch_and_few_are_under_way_at_once() -> None:
    async def main() -> None:
        source = Source()
        source.gives.update({f"l{n}": FetchedToken(f"t{n}") for n in range(40)})
        async with tokens(source) as (provider, _):
            assert set(await asyncio.gather(*(provider.token(ANA) for _ in range(50)))) == {"one"}
            assert source.asked == [ANA]
            await asyncio.gather(*(provider.token(f"l{n}") for n in range(40)))
            assert source.most_at_once == 8

    run_virtually(main())


def test_whoever_gives_up_waiting_does_not_take_the_answer_from_the_others() -> None:
    async def main() -> None:
        async with tokens(Source()) as (provider, _):
            hasty = asyncio.create_task(provider.token(ANA))
            patient = asyncio.create_task(provider.token(ANA))
            await asyncio.sleep(0.5)
            hasty.cancel()
            assert await patient == "one"

    run_virtually(main())


def test_a_refused_token_is_fetched_anew_once_and_then_waited_for() -> None:
    async def main() -> None:
        source = Source()
        async with tokens(source) as (provider, new):
            token = await provider.token(ANA)
            source.gives[ANA] = FetchedToken("two")
            assert await provider.refused(ANA, token)
            assert await provider.token(ANA) == "two"
            assert not await provider.refused(ANA, "two")  # the source still gives that one
            asked = len(source.asked)
            await asyncio.sleep(25)
            assert len(source.asked) == asked
            source.gives[ANA] = FetchedToken("three")
            await asyncio.sleep(10)
            assert new == [ANA]
            assert await provider.token(ANA) == "three"

    run_virtually(main())


def test_another_one_than_the_refused_is_known_already() -> None:
    async def main() -> None:
        async with tokens(Source()) as (provider, _):
            await provider.token(ANA)
            assert await provider.refused(ANA, "an older one")

    run_virtually(main())


def test_whoever_has_none_is_asked_for_again_ever_more_seldom_and_said_to_be_new_then() -> None:
    async def main() -> None:
        source = Source()
        async with tokens(source) as (provider, new):
            with pytest.raises(NoToken, match="none for ben"):
                await provider.token("ben")
            await asyncio.sleep(3 * 3600)
            assert 15 < source.asked.count("ben") < 25
            source.gives["ben"] = FetchedToken("b")
            await asyncio.sleep(610)
            assert new == ["ben"]
            asked = source.asked.count("ben")
            await asyncio.sleep(3600)
            assert source.asked.count("ben") == asked

    run_virtually(main())


def test_a_source_in_trouble_says_nothing_of_the_learner() -> None:
    async def main() -> None:
        source = Source()
        source.gives[ANA] = TokenDelayed("HTTP 503")
        async with tokens(source) as (provider, new):
            with pytest.raises(TokenDelayed):
                await provider.token(ANA)
            await asyncio.sleep(3600)
            assert source.asked == [ANA]  # whoever wants it asks again
            source.gives[ANA] = FetchedToken("one")
            assert await provider.token(ANA) == "one"
            assert new == []

    run_virtually(main())


def test_a_learner_is_not_asked_for_before_the_source_said() -> None:
    async def main() -> None:
        source = Source()
        source.gives[ANA] = TokenDelayed("not ready", 60.0)
        async with tokens(source) as (provider, _):
            for _ in range(50):
                with pytest.raises(TokenDelayed, match="not ready"):
                    await provider.token(ANA)
                await asyncio.sleep(1)
            assert source.asked == [ANA]
            source.gives[ANA] = FetchedToken("one")
            await asyncio.sleep(15)
            assert await provider.token(ANA) == "one"

    run_virtually(main())


def test_no_user_id_is_said_so() -> None:
    async def main() -> None:
        source = Source()
        source.gives[ANA] = FetchedToken("one")
        async with tokens(source) as (provider, _):
            with pytest.raises(NoToken, match="gives no user id"):
                await provider.user_id(ANA)

    run_virtually(main())


def test_what_was_fetched_is_written_down_and_a_refused_one_is_taken_away() -> None:
    async def main() -> None:
        source, shelf = Source(), Shelf()
        shelf.fails = 1
        async with tokens(source, shelf) as (provider, _):
            await provider.token(ANA)
            await asyncio.sleep(3)
            assert shelf.kept == {ANA: FetchedToken("one", "u1")}
        async with tokens(source, shelf) as (provider, _):
            assert await provider.token(ANA) == "one"
            assert source.asked == [ANA]
            assert not await provider.refused(ANA, "one")
            await asyncio.sleep(3)
            assert shelf.kept == {}

    run_virtually(main())


class Poisoned(Shelf):
    """A vault that one learner's token can't be kept in."""

    async def save(self, changed: dict[str, FetchedToken | None]) -> None:
        if "poison" in changed:
            raise OverflowError("the time does not fit")
        await super().save(changed)


def test_a_token_that_cant_be_kept_keeps_no_other_back_and_ends_nothing() -> None:
    async def main() -> None:
        source, shelf = Source(), Poisoned()
        source.gives["poison"] = FetchedToken("p")
        async with tokens(source, shelf) as (provider, new):
            with structlog.testing.capture_logs() as logs:
                await asyncio.gather(provider.token("poison"), provider.token(ANA))
                await asyncio.sleep(10)
            told = [line for line in logs if line["log_level"] == "error"]
            assert len(told) == 1
            assert isinstance(told[0]["exc_info"], OverflowError)
            assert shelf.kept == {ANA: FetchedToken("one", "u1")}
            # whoever waits is still asked for
            assert not await provider.refused(ANA, "one")
            source.gives[ANA] = FetchedToken("two")
            await asyncio.sleep(60)
            assert new == [ANA]
            assert shelf.kept == {ANA: FetchedToken("two")}

    run_virtually(main())


@pytest.mark.parametrize(
    "error", [ValueError("odd"), KeyError("k"), RuntimeError(), TypeError("t")]
)
def test_an_exception_of_ours_is_a_trouble_that_passes_and_is_told_once(error: Exception) -> None:
    async def main() -> None:
        source = Source()
        source.gives[ANA] = error
        async with tokens(source) as (provider, _):
            with structlog.testing.capture_logs() as logs:
                for _ in range(5):
                    with pytest.raises(TokenDelayed, match=r"for a reason of ours|asked again in"):
                        await provider.token(ANA)
                    await asyncio.sleep(300)
            assert len([line for line in logs if line["log_level"] == "error"]) == 1
            source.gives[ANA] = FetchedToken("one")
            await asyncio.sleep(300)
            assert await provider.token(ANA) == "one"

    run_virtually(main())


def test_the_look_for_those_who_wait_outlives_whoever_is_told() -> None:
    async def main() -> None:
        source = Source()
        told: list[str] = []

        def on_new(learners: Sequence[str]) -> None:
            told.extend(learners)
            raise RuntimeError("whoever is told fails")

        provider = FetchedTokens(source, VirtualClock(), on_new)
        task = asyncio.create_task(provider.run())
        for learner in ("ben", "eve"):
            with pytest.raises(NoToken):
                await provider.token(learner)
        source.gives |= {"ben": FetchedToken("b"), "eve": FetchedToken("e")}
        await asyncio.sleep(700)
        assert sorted(told) == ["ben", "eve"]
        assert not task.done()
        assert [await provider.token("ben"), await provider.token("eve")] == ["b", "e"]
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await provider.close()

    run_virtually(main())


def test_a_refused_token_parks_nobody_while_the_source_is_in_trouble() -> None:
    async def main() -> None:
        source = Source()
        async with tokens(source) as (provider, _):
            token = await provider.token(ANA)
            source.gives[ANA] = TokenSourceDown("HTTP 503", at_once=True)
            assert await provider.refused(ANA, token)  # there may be another
            with pytest.raises(TokenDelayed, match="HTTP 503; asked again in"):
                await provider.token(ANA)

    run_virtually(main())
