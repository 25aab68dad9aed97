"""authTokens that are fetched one by one, from a service or by logging in, and kept for a while.

A token is kept until it expires or the platform refuses it; of each learner one fetch is under way
at a time, and of all learners a few. Where there is none, or only the refused one, it is asked for
again with growing pauses, and `on_new` is told as soon as there is another. A source in trouble is
left alone by all (breaker.py).
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from pointsman.domain.clock import Clock
from pointsman.domain.errors import NoToken, StoreUnavailable, TokenDelayed
from pointsman.domain.log_steps import STORE_AWAY
from pointsman.platforms.tokens.breaker import TokenSourceBreaker, TokenSourceDown
from pointsman.platforms.tokens.error_log import ErrorLog

log = structlog.get_logger(__name__)

#: a token is not used this close to its end, seconds
_MARGIN = 10.0
#: fetches under way at a time
_CONCURRENCY = 8
#: seconds between two looks at which learners wait, and the pauses between two fetches for one
_LOOK_EVERY, _FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0, 600.0
#: seconds; a token that is said to be good for longer is fetched again after that
LONGEST_LIFE = 365 * 86_400.0


@dataclass(frozen=True, slots=True)
class FetchedToken:
    """One answer; `expires_at` in Unix seconds, None where nobody said."""

    token: str = field(repr=False)
    user_id: str | None = None
    expires_at: float | None = None


class TokenFetcher(Protocol):
    """Asks for one learner's token.

    Raises `NoToken`, `TokenSourceDown`, or `TokenDelayed` for an answer that can't be used.
    """

    async def fetch(self, learner: str) -> FetchedToken: ...

    async def close(self) -> None: ...


class TokenVault(Protocol):
    """Where fetched tokens outlive the process, encrypted."""

    async def load(self) -> dict[str, FetchedToken]: ...

    async def save(self, changed: dict[str, FetchedToken | None]) -> None:
        """Keep these; those that are None are gone."""
        ...


@dataclass(slots=True)
class _Waiting:
    """A learner whose token is missing, or was refused: `refused` is that one."""

    refused: str
    pause: float
    again_at: float


class FetchedTokens:
    """A `TokenProvider` over a fetcher."""

    def __init__(
        self,
        fetcher: TokenFetcher,
        clock: Clock,
        on_new: Callable[[Sequence[str]], None],
        vault: TokenVault | None = None,
        jitter: random.Random | None = None,
    ) -> None:
        self._breaker = TokenSourceBreaker(jitter or random.Random())  # noqa: S311 - no secret
        self._errors = ErrorLog("a look after waiting authTokens failed for a reason of ours")
        self._fetcher = fetcher
        self._clock = clock
        self._on_new = on_new
        self._vault = vault
        self._tokens: dict[str, FetchedToken] = {}
        self._under_way: dict[str, asyncio.Task[FetchedToken]] = {}
        self._slots = asyncio.Semaphore(_CONCURRENCY)
        self._waiting: dict[str, _Waiting] = {}
        self._unsaved: dict[str, FetchedToken | None] = {}

    async def open(self) -> None:
        """Take up what an earlier process had fetched."""
        if self._vault is not None:
            self._tokens = await self._vault.load()

    async def run(self) -> None:
        """Ask again for those who wait, and keep what is new, until cancelled."""
        while True:
            await self._clock.sleep(_LOOK_EVERY)
            with self._errors.caught():
                now = self._clock.monotonic()
                due = [name for name, waiting in self._waiting.items() if waiting.again_at <= now]
                await asyncio.gather(*(self._ask_again(learner) for learner in due))
            with self._errors.caught():
                await self._save()

    async def close(self) -> None:
        """End the fetches, and keep what is new."""
        for task in self._under_way.values():
            task.cancel()
        await asyncio.gather(*self._under_way.values(), return_exceptions=True)
        await self._fetcher.close()
        with self._errors.caught():
            await self._save()

    async def token(self, learner: str) -> str:
        return (await self._current(learner)).token

    async def user_id(self, learner: str) -> str:
        user_id = (await self._current(learner)).user_id
        if user_id is None:
            raise NoToken(
                f"the source of the authToken of {learner!r} gives no user id, which meeting "
                "attendance needs"
            )
        return user_id

    async def refused(self, learner: str, token: str) -> bool:
        """Fetch once more; True when that gave another one."""
        fetched = self._tokens.get(learner)
        if fetched is not None and fetched.token != token:
            return True
        self._forget(learner)
        try:
            if (await self._current(learner)).token != token:
                return True
        except NoToken:
            pass
        except TokenDelayed:
            return True  # whether there is another is not known yet; `token` says so
        self._forget(learner)
        self._wait_for_another(learner, token)
        return False

    async def _save(self) -> None:
        """Keep what is new. What can't be kept keeps nothing else back."""
        if self._vault is None or not self._unsaved:
            return
        changed, self._unsaved = self._unsaved, {}
        try:
            await self._vault.save(changed)
        except StoreUnavailable as error:
            self._unsaved = {**changed, **self._unsaved}
            log.warning("authTokens are not kept yet", reason=str(error), next=STORE_AWAY)
        except Exception:
            if len(changed) == 1:
                raise
            for learner, fetched in changed.items():
                with self._errors.caught():
                    self._unsaved = {learner: fetched, **self._unsaved}
                    await self._save_one(learner)

    async def _save_one(self, learner: str) -> None:
        assert self._vault is not None  # noqa: S101 - whoever calls has looked
        fetched = self._unsaved.pop(learner)
        try:
            await self._vault.save({learner: fetched})
        except StoreUnavailable:
            self._unsaved.setdefault(learner, fetched)

    async def _current(self, learner: str) -> FetchedToken:
        fetched = self._tokens.get(learner)
        if fetched is not None and (
            fetched.expires_at is None or self._clock.now() < fetched.expires_at - _MARGIN
        ):
            return fetched
        task = self._under_way.get(learner)
        if task is None:
            task = asyncio.create_task(self._fetch(learner))
            self._under_way[learner] = task
            task.add_done_callback(lambda done: self._ended(learner, done))
        # whoever gives up waiting does not take the answer from the others
        return await asyncio.shield(task)

    def _ended(self, learner: str, task: asyncio.Task[FetchedToken]) -> None:
        self._under_way.pop(learner, None)
        if not task.cancelled():
            task.exception()  # seen, even if all who waited have given up

    async def _fetch(self, learner: str) -> FetchedToken:
        self._breaker.check(learner, self._clock.monotonic())
        async with self._slots:
            # it may have stopped answering while this one waited for its turn
            self._breaker.check(learner, self._clock.monotonic())
            fetched = await self._ask(learner)
        self._tokens[learner] = self._unsaved[learner] = fetched
        waiting = self._waiting.get(learner)
        if waiting is not None and fetched.token != waiting.refused:
            del self._waiting[learner]
            log.info("there is another authToken", learner=learner)
            self._on_new([learner])
        return fetched

    async def _ask(self, learner: str) -> FetchedToken:
        """One question; what it comes to is told to the breaker."""
        breaker, before = self._breaker, self._breaker.reason
        breaker.begin()
        try:
            fetched = await self._fetcher.fetch(learner)
        except NoToken:
            breaker.answered(learner)
            self._wait_for_another(learner, "")
            raise
        except TokenSourceDown as error:
            breaker.down(self._clock.monotonic(), error)
            raise
        except TokenDelayed as error:
            now = self._clock.monotonic()
            breaker.unusable(learner, now, str(error), error.retry_after)
            raise
        except Exception as error:
            words = f"asking for the authToken of {learner!r} failed for a reason of ours"
            breaker.unusable(learner, self._clock.monotonic(), words)
            self._errors.tell(error)
            raise TokenDelayed(words) from error
        except BaseException:
            breaker.abandoned()
            raise
        else:
            breaker.answered(learner)
        finally:
            if bool(breaker.reason) != bool(before):
                _tell_state(breaker.reason)
        return fetched

    def _forget(self, learner: str) -> None:
        if self._tokens.pop(learner, None) is not None:
            self._unsaved[learner] = None

    def _wait_for_another(self, learner: str, refused: str) -> None:
        before = self._waiting.get(learner)
        pause = _FIRST_PAUSE if before is None else min(_LONGEST_PAUSE, 2 * before.pause)
        again_at = self._clock.monotonic() + pause
        # that there is none at the moment does not make the refused one good again
        still = refused or (before.refused if before is not None else "")
        self._waiting[learner] = _Waiting(still, pause, again_at)

    async def _ask_again(self, learner: str) -> None:
        try:
            self._breaker.check(learner, self._clock.monotonic())
        except TokenDelayed:
            return  # its turn comes when the source is asked at all
        self._forget(learner)
        with contextlib.suppress(NoToken, TokenDelayed):
            await self._current(learner)
        waiting = self._waiting.get(learner)
        if waiting is not None:
            self._forget(learner)
            self._wait_for_another(learner, waiting.refused)


def _tell_state(problem: str) -> None:
    event = "the token source's state changed"
    if problem:
        log.warning(
            event,
            reason=problem,
            next="see that the source of learners.tokens works; nothing is parked meanwhile",
        )
    else:
        log.info(event, reason="well")
