"""Says of a learner without an authToken that nobody mapped the account, where that is why."""

from __future__ import annotations

from collections.abc import Sequence

from pointsman.domain.errors import NoToken
from pointsman.mapping.identity import UNMAPPED
from pointsman.mapping.near_miss import nearest
from pointsman.platforms.base import TokenProvider


class AccountHints:
    """A `TokenProvider` whose `NoToken` names the missing `[[learners.accounts]]`."""

    def __init__(self, provider: TokenProvider, home_pages: Sequence[str]) -> None:
        self._provider = provider
        self._home_pages = tuple(home_pages)
        self.open = provider.open
        self.run = provider.run
        self.close = provider.close
        self.refused = provider.refused

    def reconfigure(self, home_pages: Sequence[str]) -> None:
        """From now on these are mapped."""
        self._home_pages = tuple(home_pages)

    async def token(self, learner: str) -> str:
        try:
            return await self._provider.token(learner)
        except NoToken as error:
            raise self._with_hint(error, learner) from None

    async def user_id(self, learner: str) -> str:
        try:
            return await self._provider.user_id(learner)
        except NoToken as error:
            raise self._with_hint(error, learner) from None

    def _with_hint(self, error: NoToken, learner: str) -> NoToken:
        home_page, separator, _name = learner.partition(UNMAPPED)
        if not separator or "://" not in home_page:
            return error
        near = nearest(home_page, self._home_pages)
        meant = "" if near is None else f", but one has {near}: was that meant?"
        return NoToken(f"{error}; no learners.accounts has the home_page {home_page}{meant}")
