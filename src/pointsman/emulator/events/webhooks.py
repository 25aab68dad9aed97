"""Sends webhooks: a queue of its own, signed bodies, attempts again as the platform documents.

Putting an event into the queue takes no time of the request that made it happen. What waits is in
memory only.
"""

from __future__ import annotations

import asyncio
import hashlib
import heapq
import hmac
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson

from pointsman.domain.clock import Clock
from pointsman.emulator.events.endpoints import Endpoint, EndpointOptions
from pointsman.emulator.events.record import PlatformEvent
from pointsman.emulator.faults import Faults, InjectedWebhookFault, named_facts

#: seconds from one attempt to the next; after the last the webhook is given up
RETRIES = (60.0, 300.0, 1_800.0, 7_200.0, 86_400.0)
#: seconds that an endpoint has for its answer
PATIENCE = 30.0
#: attempts under way at once
_AT_ONCE = 16
SIGNATURE = "X-TI-Signature"


class PostWebhook(Protocol):
    """Sends one body; the status of the answer. Raises `OSError` where none comes."""

    async def __call__(self, url: str, headers: Mapping[str, str], body: bytes) -> int: ...


@dataclass(frozen=True, slots=True, order=True)
class _Attempt:
    """To be made at `at`, in seconds of the monotonic clock."""

    at: float
    number: int
    event: PlatformEvent = field(compare=False)
    endpoint: Endpoint = field(compare=False)
    fault: InjectedWebhookFault = field(compare=False)
    #: attempts that failed before
    failures: int = field(default=0, compare=False)


class Webhooks:
    """The endpoints and what waits for them. `run` sends."""

    def __init__(self, clock: Clock, faults: Faults) -> None:
        self._clock = clock
        self._faults = faults
        self._endpoints: dict[str, Endpoint] = {}
        self._waiting: list[_Attempt] = []
        self._under_way: set[asyncio.Task[None]] = set()
        self._numbered = 0
        self._registered = 0
        self._wake = asyncio.Event()

    def register(self, options: EndpointOptions) -> str:
        """The endpoint's id. It gets what happens from now on."""
        self._registered += 1
        name = f"webhook_{self._registered}"
        self._endpoints[name] = Endpoint(name, options)
        return name

    def remove(self, name: str) -> bool:
        """Whether there was one of this id; what waits for it is dropped."""
        endpoint = self._endpoints.pop(name, None)
        if endpoint is None:
            return False
        self._waiting = [one for one in self._waiting if one.endpoint is not endpoint]
        heapq.heapify(self._waiting)
        return True

    def forget_waiting(self) -> None:
        """Nothing waits any longer; the endpoints stay."""
        self._waiting.clear()

    def put(self, event: PlatformEvent) -> None:
        """To be sent to every endpoint that wants it."""
        now = self._clock.monotonic()
        for endpoint in self._endpoints.values():
            if not endpoint.takes(event.kind):
                continue
            fault = InjectedWebhookFault()
            if self._faults.in_force:
                facts = named_facts(
                    event.kind.webhook, number=event.number, at=now, learner=event.learner.email
                )
                self._faults.inject(facts, fault)
            if fault.lost:
                endpoint.lost += 1
                continue
            for _ in range(1 + fault.repeats):
                self._add(now + fault.delay, event, endpoint, fault, failures=0)

    def _add(
        self,
        at: float,
        event: PlatformEvent,
        endpoint: Endpoint,
        fault: InjectedWebhookFault,
        *,
        failures: int,
    ) -> None:
        self._numbered += 1
        attempt = _Attempt(at, self._numbered, event, endpoint, fault, failures)
        heapq.heappush(self._waiting, attempt)
        self._wake.set()

    def as_json(self) -> dict[str, Any]:
        """The endpoints by their ids, and how many webhooks wait."""
        return {
            "endpoints": {name: endpoint.as_json() for name, endpoint in self._endpoints.items()},
            "waiting": len(self._waiting) + len(self._under_way),
        }

    async def run(self, post: PostWebhook, tick: Callable[[], float | None]) -> None:
        """Send with `post` until cancelled.

        `tick` does what is due beside it, and says in how many seconds it wants to be asked again.
        """
        try:
            while True:
                self._wake.clear()
                pauses = [pause for pause in (tick(), self._send_due(post)) if pause is not None]
                await self._wait(min(pauses) if pauses else None)
        finally:
            for task in self._under_way:
                task.cancel()
            await asyncio.gather(*self._under_way, return_exceptions=True)

    def _send_due(self, post: PostWebhook) -> float | None:
        """Begin what is due; the seconds until something else is."""
        now = self._clock.monotonic()
        while self._waiting and self._waiting[0].at <= now:
            if len(self._under_way) >= _AT_ONCE:
                return None
            task = asyncio.create_task(self._send(post, heapq.heappop(self._waiting)))
            self._under_way.add(task)
            task.add_done_callback(self._ended)
        return self._waiting[0].at - now if self._waiting else None

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._wake.set()

    async def _wait(self, seconds: float | None) -> None:
        """Until it is time, or something has changed."""
        woken = asyncio.create_task(self._wake.wait())
        tasks: set[asyncio.Task[Any]] = {woken}
        if seconds is not None:
            tasks.add(asyncio.create_task(self._clock.sleep(seconds)))
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    async def _send(self, post: PostWebhook, attempt: _Attempt) -> None:
        endpoint = attempt.endpoint
        endpoint.attempts += 1
        headers, body = _signed(attempt)
        try:
            async with asyncio.timeout(PATIENCE):
                status = await post(endpoint.options.url, headers, body)
            endpoint.last = str(status)
        except OSError as error:  # a TimeoutError is one
            status = 0
            endpoint.last = str(error) or type(error).__name__
        if 200 <= status < 300:  # noqa: PLR2004 - HTTP's own numbers
            endpoint.delivered += 1
            return
        endpoint.failed += 1
        if attempt.failures == len(RETRIES):
            endpoint.given_up += 1
        elif endpoint.id in self._endpoints:
            pause = RETRIES[attempt.failures]
            self._add(
                self._clock.monotonic() + pause,
                attempt.event,
                endpoint,
                InjectedWebhookFault(),
                failures=attempt.failures + 1,
            )


def signature(secret: str, body: bytes) -> str:
    """What `X-TI-Signature` says: HMAC-SHA256 of the body, in hex."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def _signed(attempt: _Attempt) -> tuple[dict[str, str], bytes]:
    """Headers and body. Each attempt has the same body: the timestamp is the event's."""
    fault = attempt.fault
    body = orjson.dumps(attempt.event.envelope(attempt.event.at - fault.backdated_by))
    secret = attempt.endpoint.options.secret
    if fault.is_missigned:
        secret += " but wrong"
    return {"Content-Type": "application/json", SIGNATURE: signature(secret, body)}, body
