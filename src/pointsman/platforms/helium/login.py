"""`Login`: an authToken for an e-mail address and a password. For sandboxes, and for a terminal.

It answers a string in the published schema of 2023, and an object with `token` and `user` on newer
pages; which of them an instance speaks is found out once.
"""

from __future__ import annotations

from dataclasses import replace

from pydantic import Field

from pointsman.platforms.base import LoginAnswer, RequestOutcome
from pointsman.platforms.helium.calls import CallResult, HeliumCalls
from pointsman.platforms.helium.selections import Result

_HEAD = "mutation Login($email: String!, $password: String!)"
_FIELD = "Login(email: $email, password: $password)"
_OF_2023 = f"{_HEAD} {{ {_FIELD} }}"
_NEWER = f"{_HEAD} {{ {_FIELD} {{ token user {{ id }} }} }}"


class _User(Result):
    id: str


class _LoggedIn(Result):
    """The token is in no representation of it."""

    token: str = Field(repr=False)
    user: _User | None = None

    @property
    def user_id(self) -> str | None:
        return None if self.user is None else self.user.id


class HeliumLogin:
    """A `LoginClient` over the calls."""

    points = 4

    def __init__(self, calls: HeliumCalls) -> None:
        self._calls = calls
        self._newer = False

    async def log_in(self, email: str, password: str) -> LoginAnswer:
        reply = await self._ask(email, password)
        answer = replace(reply.answer, message=reply.message)
        if reply.data is None:
            return LoginAnswer(answer)
        return LoginAnswer(answer, reply.data.token, reply.data.user_id)

    async def close(self) -> None:
        await self._calls.close()

    async def _ask(self, email: str, password: str) -> CallResult[_LoggedIn]:
        """One request; a second one where the first finds out that the instance is newer."""
        variables = {"email": email, "password": password}
        if not self._newer:
            plain = await self._calls.ask(_OF_2023, "Login", variables, str)
            if plain.data is not None:
                return CallResult(plain.answer, _LoggedIn(token=plain.data))
            if plain.answer.outcome is not RequestOutcome.DOCUMENT_REFUSED:
                return CallResult(plain.answer)
        reply = await self._calls.ask(_NEWER, "Login", variables, _LoggedIn)
        self._newer = reply.answer.outcome is RequestOutcome.ANSWERED
        return reply
