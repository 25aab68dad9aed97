"""An emulator on a clock that the test moves, and a short way to call it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from pointsman.emulator import Emulator, HttpReply, builtin_catalogue
from pointsman.emulator.catalogue import Catalogue, Learner
from tests.support.manual_clock import ManualClock

KEY = "instance-key"


@dataclass
class Answered:
    status: int
    headers: dict[str, str]
    json: dict[str, Any]

    @property
    def data(self) -> Any:
        return self.json["data"]

    @property
    def codes(self) -> list[str]:
        return [error["extensions"]["code"] for error in self.json.get("errors", [])]

    @property
    def messages(self) -> list[str]:
        return [error["message"] for error in self.json.get("errors", [])]


def answered(reply: HttpReply) -> Answered:
    return Answered(reply.status, reply.headers, orjson.loads(reply.body))


class Caller:
    """An emulator of the built-in catalogue, with one user more who is no student."""

    def __init__(self, **limits: Any) -> None:
        builtin = builtin_catalogue()
        teacher = Learner(id="user_tess", email="tess@example.com", password="demo", role="TEACHER")
        catalogue = Catalogue.model_validate(
            {**builtin.model_dump(), "learners": (*builtin.learners, teacher)}
        )
        self.clock = ManualClock()
        self.emulator = Emulator(catalogue, api_key=KEY, clock=self.clock, **limits)
        self.tokens = {
            learner.email: self.emulator.issue_token(learner.email)
            for learner in catalogue.learners
        }

    async def raw(self, body: bytes, headers: dict[str, str] | None = None) -> Answered:
        reply = await self.emulator.handle(query={"apiKey": KEY}, headers=headers or {}, body=body)
        return answered(reply)

    async def __call__(
        self, document: str, *, learner: str | None = "ana@example.com", **variables: Any
    ) -> Answered:
        headers = {"authToken": self.tokens[learner]} if learner is not None else {}
        return await self.raw(
            orjson.dumps({"query": document, "variables": variables}),
            {"Content-Type": "application/json", **headers},
        )

    def learner(self, email: str = "ana@example.com") -> dict[str, Any]:
        shown: dict[str, Any] = self.emulator.state()["learners"][email]
        return shown
