"""Takes POST /confirmations/{name}: the platform's signed webhooks.

Answered after the commit. Nothing of a body is parsed before it is known who signed it. The same
event again changes nothing, so what is repeated, by the platform or by somebody who recorded it,
does no harm; what is older than the platform repeats is refused. An event that makes no sense would
make none the second time either: it is a dead letter, and answered 2xx.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import orjson
from aiohttp import web

from pointsman.domain.clock import MICROSECONDS, Clock
from pointsman.domain.errors import InputRefused
from pointsman.domain.platform_events import FactSource, PlatformEvent
from pointsman.sources.confirmations.event_reader import EventReader
from pointsman.sources.confirmations.intake import ConfirmationIntake, RefusedEvent
from pointsman.sources.http.body import HELD, BodyLimits, read_body
from pointsman.sources.http.client_address import sender_address
from pointsman.sources.http.errors import RequestRefused, no_content, too_many_tries
from pointsman.sources.http.failed_attempts import FailedAttempts
from pointsman.sources.http.lrs.endpoint import current_source
from pointsman.sources.http.webhook_signatures import SignatureRefused, WebhookVerifier

#: of dead letters
ORIGIN = "POST /confirmations"


@dataclass(frozen=True, slots=True)
class ConfirmationSource:
    """One sender, how it signs, how old its events may be (seconds), and how they are read."""

    name: str
    max_body_bytes: int
    tolerance: float
    verifier: WebhookVerifier
    reader: EventReader


class Confirmations:
    """Several senders are told apart by the path."""

    def __init__(
        self,
        sources: Sequence[ConfirmationSource],
        limits: BodyLimits,
        intake: ConfirmationIntake,
        clock: Clock,
        attempts: FailedAttempts,
    ) -> None:
        self._sources = {source.name: source for source in sources}
        self._limits = limits
        self._intake = intake
        self._clock = clock
        self._attempts = attempts

    async def post(self, request: web.Request) -> web.Response:
        source = self._sources.get(request.match_info["name"])
        if source is None:
            raise RequestRefused(404, "there is no webhook of this name in confirmations")
        body = await self._signed_body(request, source)
        current_source.set(source.name)
        try:
            event = self._read(source, body)
        except InputRefused as error:
            await self._intake.keep(source.name, FactSource.WEBHOOK, body, str(error), ORIGIN)
            return no_content()
        if event is None:
            self._intake.hooks.ignored(source.name, FactSource.WEBHOOK)
        else:
            await self._intake.take(source.name, [event])
        return no_content()

    async def _signed_body(self, request: web.Request, source: ConfirmationSource) -> bytes:
        """The body, once it is known who signed it. Raises `RequestRefused`."""
        address, key = sender_address(request), source.name.encode()
        # an address that has shown a good signature is looked at, whoever else fails behind it
        proven = hashlib.sha256(b"confirmations\0" + key).digest()
        if wait := self._attempts.must_wait(address, key, proven):
            self._intake.hooks.refused(source.name, RefusedEvent.SLOWED)
            raise too_many_tries("signatures", wait)
        reason = RefusedEvent.UNSIGNED
        try:
            signed = source.verifier.read_headers(request.headers)
            body = await read_body(
                request, self._limits.at_most(source.max_body_bytes), known=False
            )
            reason = RefusedEvent.FORGED
            source.verifier.check(signed, body, self._clock.now())
        except SignatureRefused as refused:
            self._attempts.failed(address, key)
            self._intake.hooks.refused(source.name, reason)
            header = source.verifier.schemes[0].header
            challenge = {"WWW-Authenticate": f'Signature header="{header}"'}
            raise RequestRefused(401, str(refused), headers=challenge) from None
        self._attempts.succeeded(address, proven)
        if (held := request.get(HELD)) is not None:
            held.sender_is_known()
        return body

    def _read(self, source: ConfirmationSource, body: bytes) -> PlatformEvent | None:
        """Raises `InputRefused`, and `RequestRefused` for what is too old."""
        try:
            item = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise InputRefused(
                f"the body is not JSON at line {error.lineno}, column {error.colno}"
            ) from None
        event = source.reader.read(item)
        if event is not None:
            age = self._clock.now() - event.at / MICROSECONDS
            if age > source.tolerance:
                self._intake.hooks.refused(source.name, RefusedEvent.OLD)
                raise RequestRefused(
                    400,
                    f"the event is {age:.0f} s old; at most {source.tolerance:g} s are taken "
                    "(tolerance_seconds of confirmations)",
                )
        return event
