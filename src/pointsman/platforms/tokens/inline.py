"""authTokens from the configuration itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pointsman.domain.errors import NoToken
from pointsman.platforms.tokens.learner_table import LearnerTable
from pointsman.platforms.tokens.settings import TokenEntry


@dataclass(frozen=True, slots=True)
class Credentials:
    """What is known of one learner; either part may be absent."""

    token: str | None = field(default=None, repr=False)
    user_id: str | None = None


class InlineTokens:
    """Those of `learners.tokens.inline`."""

    def __init__(self, entries: Mapping[str, TokenEntry]) -> None:
        self.reconfigure(entries)

    def reconfigure(self, entries: Mapping[str, TokenEntry]) -> None:
        """From now on there are these, and no others."""
        self._known = LearnerTable(
            {
                learner: Credentials(
                    entry.auth_token.get_secret_value() if entry.auth_token else None, entry.user_id
                )
                for learner, entry in entries.items()
            }
        )

    async def open(self) -> None:
        """All is known."""

    async def run(self) -> None:
        """Nothing new comes."""

    async def close(self) -> None:
        """Nothing is open."""

    async def token(self, learner: str) -> str:
        token = (self._known.find(learner) or Credentials()).token
        if token is None:
            near = self._known.near_miss(learner)
            raise NoToken(f"learners.tokens.inline has none for {learner!r}{near}; add one")
        return token

    async def user_id(self, learner: str) -> str:
        user_id = (self._known.find(learner) or Credentials()).user_id
        if user_id is None:
            raise NoToken(
                f"learners.tokens.inline has no user_id for {learner!r}, which attendance needs; "
                "add it"
            )
        return user_id

    async def refused(self, learner: str, token: str) -> bool:
        return (self._known.find(learner) or Credentials()).token not in {None, token}
