"""`Login`: an authToken for an e-mail address and a password. For sandboxes, and for a terminal.

It answers a string in the published schema of 2023, and an object with `token` and `user` on newer
pages; which of them an instance speaks is found out once.
"""

from __future__ import annotations

from pydantic import Field

from pointsman.platforms.base import RequestOutcome
from pointsman.platforms.helium.calls import CallResult, HeliumCalls
from pointsman.platforms.helium.results import Result

_HEAD = "mutation Login($email: String!, $password: String!)"
_FIELD = "Login(email: $email, password: $password)"
_OF_2023 = f"{_HEAD} {{ {_FIELD} }}"
_NEWER = f"{_HEAD} {{ {_FIELD} {{ token user {{ id }} }} }}"
#: what one costs at most
LOGIN_POINTS = 4


class _User(Result):
    id: str


class LoggedIn(Result):
    """The token is in no representation of it."""

    token: str = Field(repr=False)
    user: _User | None = None

    @property
    def user_id(self) -> str | None:
        return None if self.user is None else self.user.id


class LoginClient:
    """Logs users of one instance in."""

    def __init__(self, calls: HeliumCalls) -> None:
        self._calls = calls
        self._newer = False

    async def log_in(self, email: str, password: str) -> CallResult[LoggedIn]:
        """One request; a second one where the first finds out that the instance is newer."""
        variables = {"email": email, "password": password}
        if not self._newer:
            plain = await self._calls.ask(_OF_2023, "Login", variables, str)
            if plain.data is not None:
                return CallResult(plain.delivery, LoggedIn(token=plain.data))
            if plain.delivery.answer is not RequestOutcome.DOCUMENT_REFUSED:
                return CallResult(plain.delivery)
        reply = await self._calls.ask(_NEWER, "Login", variables, LoggedIn)
        self._newer = reply.delivery.answer is RequestOutcome.ANSWERED
        return reply
