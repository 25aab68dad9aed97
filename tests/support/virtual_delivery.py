"""A delivery loop in virtual time: the real store, scheduler and emulator, and no sockets."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

from pointsman.delivery.budget.local import LocalBudget
from pointsman.delivery.delivery_record import DeliveryRecord
from pointsman.delivery.dispatcher import Dispatcher
from pointsman.delivery.sender import Sender
from pointsman.delivery.settings import DeliverySettings
from pointsman.domain.errors import NoToken, TokenDelayed
from pointsman.domain.records import Submission
from pointsman.emulator import Catalogue, Emulator
from pointsman.emulator.faults import Faults
from pointsman.platforms.helium import HeliumPlatform
from pointsman.store.sqlite import SqliteStore
from tests.support.quota import quota_limits
from tests.support.virtual_time import EmulatorTransport, VirtualClock

KEY = "the-key"


def catalogue(learners: int, topics: int, *, strangers: Sequence[str] = ()) -> Catalogue:
    """Learners `l0@example.com` and on; one course `c` with topics `t0` and on."""
    emails = [*(f"l{n}@example.com" for n in range(learners)), *strangers]
    return Catalogue.model_validate(
        {
            "learners": [
                {
                    "id": f"u{n}",
                    "email": email,
                    "password": "demo",
                    "role": "MANAGER" if email in strangers else "STUDENT",
                }
                for n, email in enumerate(emails)
            ],
            "courses": [
                {
                    "id": "course-c",
                    "slug": "c",
                    "title": "C",
                    "lessons": [
                        {
                            "id": "lesson",
                            "title": "Lesson",
                            "topics": [
                                {"id": f"t{n}", "title": f"T{n}", "type": "text"}
                                for n in range(topics)
                            ],
                        }
                    ],
                }
            ],
        }
    )


class Tokens:
    """A `TokenProvider` that logs in at the emulator; learners in `without` have no token."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self.without: set[str] = set()
        self.stale: dict[str, str] = {}
        self.renewable = True
        #: a token is used again until it is refused
        self.kept = False
        #: so often, whoever gives the tokens can't be reached after one was refused
        self.delayed_once_renewed = 0
        self.asked = 0
        self._renewed = False

    async def open(self) -> None: ...

    async def run(self) -> None: ...

    async def close(self) -> None: ...

    async def token(self, learner: str) -> str:
        self.asked += 1
        if learner in self.without:
            raise NoToken(f"none for {learner}")
        if self._renewed and self.delayed_once_renewed:
            self.delayed_once_renewed -= 1
            raise TokenDelayed("the token service is away")
        token = self.stale.get(learner) or self._emulator.issue_token(learner)
        if self.kept:
            self.stale[learner] = token
        return token

    async def user_id(self, learner: str) -> str:
        known = self._emulator.catalogue.learner_by_email.get(learner)
        if known is None:
            raise NoToken(f"no user id for {learner}")
        return known.id

    async def refused(self, learner: str, token: str) -> bool:
        if not self.renewable:
            return False
        self._renewed = self.stale.pop(learner, None) is not None
        return self._renewed


class VirtualDelivery:
    """Use as an async context manager inside `run_virtually`."""

    def __init__(
        self,
        folder: Path,
        platform_catalogue: Catalogue,
        *,
        requests: int = 2_500,
        points: int = 100_000,
        per_request: int = 1_000,
        progress_interval: float = 0.0,
        latency: float = 0.02,
        emulator: Emulator | None = None,
        faults: Faults | None = None,
        max_failures: int = 8,
        share: float = 1.0,
        transport: Callable[[Emulator], EmulatorTransport] | None = None,
    ) -> None:
        self.clock = VirtualClock()
        self.emulator = emulator or Emulator(
            platform_catalogue,
            api_key=KEY,
            clock=self.clock,
            points_per_minute=points,
            requests_per_minute=requests,
            token_ttl=1e9,
            faults=faults,
        )
        self.tokens = Tokens(self.emulator)
        self.transport = (
            EmulatorTransport(self.emulator, KEY, latency)
            if transport is None
            else transport(self.emulator)
        )
        self.store = SqliteStore(folder / "sim.db", clock=self.clock, threaded=False)
        self.budget = LocalBudget(
            quota_limits(points, requests, share, 0.2),
            self.clock,
            self.store,
        )
        self.records: list[DeliveryRecord] = []
        settings = DeliverySettings(
            progress_interval_seconds=progress_interval, max_failures=max_failures
        )
        self.dispatcher = Dispatcher(
            self.store,
            Sender(
                HeliumPlatform(self.transport, self.clock),
                self.tokens,
                self.budget,
                self.clock,
                settings,
                points_per_request=per_request,
                jitter=random.Random(2),
            ),
            self.budget,
            self.clock,
            settings,
            self.records.append,
            request_timeout=30.0,
            jitter=random.Random(1),
        )
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self.store.open()
        await self.budget.open()
        self._task = asyncio.create_task(self.dispatcher.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        await self.dispatcher.drain(5)
        await self.store.close()

    @property
    def now(self) -> int:
        return round(self.clock.now() * 1e6)

    async def ingest(self, *submissions: Submission) -> None:
        await self.store.ingest(submissions)
        self.dispatcher.wake()

    async def settle(self, seconds: float = 3600.0) -> None:
        """Let time pass until nothing is left to send, at most so long."""
        deadline = self.clock.monotonic() + seconds
        while self.clock.monotonic() < deadline:
            if await self.store.next_ready_at() is None:
                return
            await self.clock.sleep(0.1)

    def topics(self, learner: str) -> Mapping[str, int]:
        learners: Mapping[str, Mapping[str, Mapping[str, int]]] = self.emulator.state()["learners"]
        return learners.get(learner, {}).get("topics", {})

    @property
    def requests(self) -> int:
        return int(self.emulator.state()["totals"]["requests"])

    @property
    def rejected(self) -> int:
        return int(self.emulator.state()["totals"]["rejected_429"])
