"""Bad weather in virtual time: trouble of one learner, or for a while, freezes nobody.

Deliveries keep coming; when the trouble is over they flow again within seconds.
"""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from pointsman.delivery.delivery_record import DeliveryRecord
from pointsman.domain.errors import PlatformUnreachable
from pointsman.domain.park_codes import CURED_BY_TOKEN
from pointsman.emulator import Emulator
from pointsman.platforms.helium import HttpAnswer
from tests.support.change_factory import change, each, topic
from tests.support.virtual_delivery import KEY, VirtualDelivery, catalogue
from tests.support.virtual_time import EmulatorTransport, run_virtually

LEARNERS = 60


class Weather(EmulatorTransport):
    """The emulator behind a network that goes down, resets what is under way, or is slow."""

    def __init__(self, emulator: Emulator, *, latency: float = 0.075) -> None:
        super().__init__(emulator, KEY, latency)
        self.down = False
        self.hangs = False
        #: authTokens that HTTP 401 is the answer to
        self.refused: set[str] = set()
        #: whoever asks without a learner is refused too
        self.refuses_nobody = False
        self.asked_while_down = 0
        self._under_way: set[asyncio.Future[Any]] = set()

    async def post(self, headers: Mapping[str, str], body: bytes) -> HttpAnswer:
        if self.down:
            self.asked_while_down += 1
            if self.hangs:
                await asyncio.sleep(30)
            raise PlatformUnreachable("nothing listens")
        token = headers.get("authToken")
        if token in self.refused or (token is None and self.refuses_nobody):
            await asyncio.sleep(2 * self._latency)
            self.statuses.append(401)
            return HttpAnswer(401, {}, b"")
        cut: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._under_way.add(cut)
        answer: asyncio.Future[Any] = asyncio.ensure_future(super().post(headers, body))
        try:
            await asyncio.wait({cut, answer}, return_when=asyncio.FIRST_COMPLETED)
            if not answer.done():
                raise PlatformUnreachable("the connection was reset")
            reply: HttpAnswer = answer.result()
            return reply
        finally:
            answer.cancel()
            self._under_way.discard(cut)

    def reset_connections(self) -> int:
        cut = [one for one in self._under_way if not one.done()]
        for one in cut:
            one.set_result(None)
        return len(cut)


@dataclass
class Run:
    """Ten times a second a learner has something new; when what was delivered, and how late."""

    sim: VirtualDelivery
    weather: Weather
    #: (when, after how many seconds, whose) of each state
    delivered: list[tuple[float, float, str]] = field(default_factory=list)

    async def traffic(self, seconds: float) -> None:
        for number in range(int(seconds * 10)):
            learner = f"l{number % LEARNERS}@example.com"
            percent = number // LEARNERS % 100 + 1
            now = self.sim.now
            await self.sim.ingest(*each([change(learner, topic("t0"), percent, at=now)], at=now))
            await self.sim.clock.sleep(0.1)

    def longest_pause(self, since: float, until: float) -> float:
        """Seconds without a delivery."""
        times = [at for at, _, _ in self.delivered if since < at < until]
        return max(b - a for a, b in pairwise([since, *times, until]))

    def waits(self, since: float, until: float) -> list[float]:
        """Seconds that each took of what arrived then."""
        return [took for at, took, _ in self.delivered if since <= at - took < until]


Script = Callable[[Run], Awaitable[None]]


def weather(tmp_path: Path, script: Script, *, latency: float = 0.075, seconds: float = 90) -> Run:
    async def main() -> Run:
        networks: list[Weather] = []

        def transport(emulator: Emulator) -> Weather:
            networks.append(Weather(emulator, latency=latency))
            return networks[0]

        sim = VirtualDelivery(
            tmp_path, catalogue(LEARNERS, 1), transport=transport, max_failures=1_000
        )
        sim.tokens.kept = True
        run = Run(sim, networks[0])

        def note(record: DeliveryRecord) -> None:
            at = sim.clock.monotonic()
            for one in record.latencies:
                run.delivered.append((at, one.seconds, record.outcome.learner))

        sim.dispatcher._settling._on_delivery = note
        async with sim:
            await asyncio.gather(run.traffic(seconds), script(run))
            await sim.settle(120)
            assert (await sim.store.books()).dirty == 0
        assert sim.rejected == 0
        return run

    return run_virtually(main())


def test_connections_that_are_reset_together_count_as_one_failure(tmp_path: Path) -> None:
    async def script(run: Run) -> None:
        await run.sim.clock.sleep(30)
        assert run.weather.reset_connections() >= 8

    run = weather(tmp_path, script, latency=0.6)
    assert run.longest_pause(5, 90) < 3


def test_connections_that_hang_and_die_one_after_another_stop_nobody(tmp_path: Path) -> None:
    async def script(run: Run) -> None:
        await run.sim.clock.sleep(30)
        run.weather.down = run.weather.hangs = True
        await run.sim.clock.sleep(1)
        run.weather.down = run.weather.hangs = False

    run = weather(tmp_path, script)
    assert run.longest_pause(5, 90) < 3


@pytest.mark.parametrize("hangs", [False, True], ids=["refused", "hanging"])
def test_after_an_outage_deliveries_flow_within_seconds_and_in_it_nobody_storms(
    tmp_path: Path, hangs: bool
) -> None:
    async def script(run: Run) -> None:
        await run.sim.clock.sleep(30)
        run.weather.down, run.weather.hangs = True, hangs
        await run.sim.clock.sleep(60)
        run.weather.down = False

    run = weather(tmp_path, script, seconds=120)
    assert run.weather.asked_while_down <= 100
    assert min(at for at, _, _ in run.delivered if at > 90) <= 92.5
    assert run.longest_pause(92, 120) < 3
    # what arrived in the outage is there five seconds after it, of learners whose request hung too
    assert max(at for at, took, _ in run.delivered if 31 < at - took < 90) <= 90 + 5


@pytest.mark.parametrize("refuses_nobody", [False, True], ids=["plain", "probe refused too"])
def test_a_bad_token_under_401_slows_nobody_else(tmp_path: Path, refuses_nobody: bool) -> None:
    async def script(run: Run) -> None:
        run.weather.refuses_nobody = refuses_nobody
        await run.sim.clock.sleep(30)
        bad = run.sim.tokens.stale["l7@example.com"]
        run.weather.refused.add(bad)
        run.sim.tokens.renewable = False
        await run.sim.clock.sleep(30)
        run.weather.refused.clear()
        await run.sim.store.unpark(codes=CURED_BY_TOKEN)
        run.sim.dispatcher.wake()

    run = weather(tmp_path, script)
    assert run.longest_pause(5, 90) < 1
    others = [took for at, took, whose in run.delivered if whose != "l7@example.com"]
    assert max(others) < 1.5


@pytest.mark.parametrize("refuses_nobody", [False, True], ids=["plain", "probe refused too"])
def test_when_all_tokens_expire_under_401_deliveries_flow_as_soon_as_there_are_new_ones(
    tmp_path: Path, refuses_nobody: bool
) -> None:
    async def script(run: Run) -> None:
        run.weather.refuses_nobody = refuses_nobody
        await run.sim.clock.sleep(30)
        run.weather.refused.update(run.sim.tokens.stale.values())
        run.sim.tokens.renewable = False
        await run.sim.clock.sleep(5)
        run.sim.tokens.stale.clear()
        run.sim.tokens.renewable = True
        if await run.sim.store.unpark(codes=CURED_BY_TOKEN):
            run.sim.dispatcher.wake()

    run = weather(tmp_path, script)
    assert run.longest_pause(35, 90) < 3
    assert statistics.median(run.waits(36, 90)) <= 1
    assert all(at <= 40 for at, took, _ in run.delivered if 30 <= at - took < 35)


def test_a_key_that_is_revoked_costs_nobody_a_token_and_is_named(tmp_path: Path) -> None:
    reasons: list[str] = []

    async def script(run: Run) -> None:
        await run.sim.clock.sleep(30)
        run.weather._api_key = "revoked"
        await run.sim.clock.sleep(20)
        reasons.append(run.sim.dispatcher.platform_trouble)
        run.weather._api_key = KEY

    weather(tmp_path, script)
    assert "refuses our apiKey" in reasons[0]
