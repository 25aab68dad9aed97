"""authTokens that launches bring: the page that starts a player knows its learner's.

They go before every other source's, and are kept in the store, encrypted, where each replica finds
the newest. One that the platform refuses is forgotten, unless a newer one has come meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from cachetools import LRUCache

from pointsman.domain.clock import Clock
from pointsman.domain.errors import NoToken
from pointsman.platforms.base import TokenProvider
from pointsman.platforms.tokens.fetched import FetchedToken
from pointsman.platforms.tokens.vault import TokenCipher

#: seconds that a token is used without a look into the store, where another replica may have put a
#: newer one
_LOOK_EVERY = 5.0
#: learners that are remembered; a forgotten one costs a look
_MOST_KNOWN = 10_000
#: a token is not used this close to its end, seconds
_MARGIN = 10.0


class LaunchTokenStore(Protocol):
    """Where sealed tokens are kept, by learner. Every method raises `StoreUnavailable`."""

    async def read(self, learner: str) -> bytes | None: ...

    async def put(self, learner: str, sealed: bytes) -> None: ...

    async def drop(self, learner: str, is_refused: Callable[[bytes], bool]) -> bytes | None:
        """Forget what is there if `is_refused`; what is still there."""
        ...


class LaunchTokens:
    """A `TokenProvider` in front of another one, where there is another."""

    def __init__(
        self,
        behind: TokenProvider | None,
        store: LaunchTokenStore,
        cipher: TokenCipher,
        clock: Clock,
        on_new: Callable[[Sequence[str]], None],
    ) -> None:
        self._behind = behind
        self._store = store
        self._cipher = cipher
        self._clock = clock
        self._on_new = on_new
        #: by learner: until when it is good without a look, and the token
        self._known: LRUCache[str, tuple[float, FetchedToken | None]] = LRUCache(_MOST_KNOWN)

    async def open(self) -> None:
        if self._behind is not None:
            await self._behind.open()

    async def run(self) -> None:
        if self._behind is not None:
            await self._behind.run()

    async def close(self) -> None:
        if self._behind is not None:
            await self._behind.close()

    async def give(self, learner: str, fetched: FetchedToken) -> None:
        """A launch has brought one; kept before this returns. Raises `StoreUnavailable`."""
        await self._store.put(learner, self._cipher.seal(learner, fetched))
        self._remember(learner, fetched)
        self._on_new([learner])

    async def token(self, learner: str) -> str:
        fetched = await self._current(learner)
        if fetched is not None:
            return fetched.token
        if self._behind is None:
            raise NoToken(
                f"no launch has brought an authToken of {learner!r} that is still good; it comes "
                "with the next one"
            )
        return await self._behind.token(learner)

    async def user_id(self, learner: str) -> str:
        fetched = await self._current(learner)
        if fetched is not None and fetched.user_id is not None:
            return fetched.user_id
        if self._behind is None:
            raise NoToken(
                f"no launch has said the userId of {learner!r}, which meeting attendance needs; "
                'give it to POST /launches beside "authToken"'
            )
        return await self._behind.user_id(learner)

    async def refused(self, learner: str, token: str) -> bool:
        def is_refused(sealed: bytes) -> bool:
            fetched = self._cipher.open(learner, sealed)
            return fetched is None or fetched.token == token

        newer = self._open(learner, await self._store.drop(learner, is_refused))
        self._remember(learner, newer)
        if newer is not None:
            return True
        return self._behind is not None and await self._behind.refused(learner, token)

    async def _current(self, learner: str) -> FetchedToken | None:
        good_until, fetched = self._known.get(learner, (0.0, None))
        if good_until <= self._clock.monotonic():
            fetched = self._open(learner, await self._store.read(learner))
            self._remember(learner, fetched)
        if fetched is None or fetched.expires_at is None:
            return fetched
        return fetched if self._clock.now() < fetched.expires_at - _MARGIN else None

    def _open(self, learner: str, sealed: bytes | None) -> FetchedToken | None:
        return None if sealed is None else self._cipher.open(learner, sealed)

    def _remember(self, learner: str, fetched: FetchedToken | None) -> None:
        self._known[learner] = (self._clock.monotonic() + _LOOK_EVERY, fetched)
