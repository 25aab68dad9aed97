"""A token service that answers oddly for ten seconds, and then well. In virtual time."""

from __future__ import annotations

import asyncio
import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.domain.errors import NoToken, TokenDelayed
from pointsman.platforms.tokens.fetched import FetchedTokens
from pointsman.platforms.tokens.service import TokenService
from pointsman.platforms.tokens.settings import TokenServiceSettings
from tests.support.odd_token_service import Odd, OddClient, odd_answers
from tests.support.virtual_time import VirtualClock, run_virtually

ODD_FOR = 10.0
LEARNERS = [f"l{number}@example.com" for number in range(20)]
TABLE = list(odd_answers())
GOOD = Odd(200, b'{"authToken": "GOOD", "expiresIn": 3600}')


class Outcome:
    """What came of it for the learners."""

    def __init__(self) -> None:
        self.tokens: dict[str, tuple[float, str]] = {}
        self.parked: set[str] = set()
        self.asked: list[float] = []


def drive(odd: Odd, learners: list[str], odd_for: float = ODD_FOR) -> Outcome:
    """Learners ask until they have a token, with pauses that grow as the dispatcher's do."""
    outcome = Outcome()

    async def main() -> None:
        clock = VirtualClock()
        client = OddClient(lambda _url: odd if clock.monotonic() < odd_for else GOOD)
        url = "http://tokens.example.com/{learner}"
        service = TokenService(TokenServiceSettings(url=url), clock, client)
        freed = {learner: asyncio.Event() for learner in learners}

        def on_new(names: object) -> None:
            for name in names:  # type: ignore[attr-defined]
                freed[name].set()

        provider = FetchedTokens(service, clock, on_new, jitter=random.Random(1))
        task = asyncio.create_task(provider.run())

        async def one(learner: str) -> None:
            pause = 1.0
            while True:
                try:
                    token = await provider.token(learner)
                except TokenDelayed:
                    await clock.sleep(pause)
                    pause = min(30.0, 2 * pause)
                except NoToken:
                    outcome.parked.add(learner)
                    await freed[learner].wait()
                else:
                    outcome.tokens[learner] = (clock.monotonic(), token)
                    if token == "GOOD" or clock.monotonic() > odd_for:
                        return
                    await clock.sleep(odd_for)
                    await provider.refused(learner, token)

        async with asyncio.timeout(3600):
            await asyncio.gather(*map(one, learners))
        assert not task.done()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await provider.close()
        outcome.asked = [at for at, _ in client.asked]

    run_virtually(main())
    return outcome


@pytest.mark.parametrize("odd", TABLE, ids=str)
def test_after_an_odd_answer_every_learner_gets_a_token_and_few_questions_were_asked(
    odd: Odd,
) -> None:
    outcome = drive(odd, LEARNERS)
    assert {token for _, token in outcome.tokens.values()} == {"GOOD"}
    # it says 20 s at most; then the breaker lets one through, and each learner's own pause ends
    assert max(at for at, _ in outcome.tokens.values()) < ODD_FOR + 20 + 60
    assert outcome.parked == (set(LEARNERS) if odd.status == 404 else set())
    meanwhile = [at for at in outcome.asked if at < ODD_FOR]
    assert len(meanwhile) <= (len(LEARNERS) if odd.status == 404 else 8 + 8)


def test_the_table_is_long() -> None:
    assert len(TABLE) > 400


@settings(max_examples=60, deadline=None)
@given(st.integers(200, 599), st.binary(max_size=60))
def test_whatever_bytes_come_nobody_is_stuck(status: int, body: bytes) -> None:
    outcome = drive(Odd(status, body), LEARNERS[:3])
    assert len(outcome.tokens) == 3


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=4,
)


@settings(max_examples=150, deadline=None)
@given(JSON, JSON, JSON)
def test_values_of_any_type_are_read_or_refused(token: object, life: object, user: object) -> None:
    answer = {"authToken": token, "expiresIn": life, "userId": user}
    outcome = drive(Odd(200, json.dumps(answer).encode()), LEARNERS[:2])
    assert len(outcome.tokens) == 2
    assert outcome.parked == set()


def test_300_learners_and_a_429_with_retry_after_make_no_storm() -> None:
    learners = [f"l{number}@example.com" for number in range(300)]
    outcome = drive(Odd(429, b"", {"Retry-After": "30"}), learners, odd_for=29)
    assert len([at for at in outcome.asked if at < 30]) <= 8
    first_after = [at for at in outcome.asked if at >= 30][:2]
    assert first_after[1] > first_after[0]  # one alone, and when it is answered the others
    assert len(outcome.asked) <= 8 + 300
    assert len(outcome.tokens) == 300


def test_one_learner_whose_answers_are_odd_keeps_nobody_waiting() -> None:
    async def main() -> None:
        clock = VirtualClock()
        client = OddClient(lambda url: Odd(200, b"{}") if "dee" in url else GOOD)
        url = "http://tokens.example.com/{learner}"
        service = TokenService(TokenServiceSettings(url=url), clock, client)
        provider = FetchedTokens(service, clock, lambda _names: None)
        for number in range(100):
            with pytest.raises(TokenDelayed, match=r"has no authToken|asked again in"):
                await provider.token("dee@example.com")
            assert await provider.token(f"l{number}@example.com") == "GOOD"
            await clock.sleep(1)
        asked = [url for _, url in client.asked]
        assert len([url for url in asked if "dee" in url]) < 12
        assert len(asked) < 112

    run_virtually(main())
