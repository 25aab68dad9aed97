"""Takes POST /webhooks/{source}: signed JSON of any system, stored as statements.

Answered after the commit. Nothing of a body is parsed before it is known who signed it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from aiohttp import web

from pointsman.domain.clock import Clock
from pointsman.domain.errors import InputRefused
from pointsman.sources.batch import BatchReader, StatementBatch, StatementIntake
from pointsman.sources.http.body import HELD, BodyLimits, read_body
from pointsman.sources.http.errors import RequestRefused, no_content
from pointsman.sources.http.lrs.endpoint import current_source
from pointsman.sources.http.lrs.post_statements import report_refusals
from pointsman.sources.http.webhook_signatures import SignatureRefused, WebhookVerifier
from pointsman.sources.parse_thread import in_thread
from pointsman.statements.adapters import Webhook


@dataclass(frozen=True, slots=True)
class WebhookSource:
    """A sender, how it signs, and what its bodies mean."""

    name: str
    max_body_bytes: int
    verifier: WebhookVerifier
    adapter: Webhook


class Webhooks:
    """`on_refused` is told of what a source was told to send otherwise."""

    def __init__(
        self,
        sources: Sequence[WebhookSource],
        limits: BodyLimits,
        reader: BatchReader,
        intake: StatementIntake,
        clock: Clock,
        on_refused: Callable[[str, int], None],
    ) -> None:
        self._sources = {source.name: source for source in sources}
        self._limits = limits
        self._reader = reader
        self._intake = intake
        self._clock = clock
        self._on_refused = on_refused

    async def post(self, request: web.Request) -> web.Response:
        source = self._sources.get(request.match_info["source"])
        if source is None:
            raise RequestRefused(404, "there is no source of this name in sources.webhooks")
        try:
            signed = source.verifier.read_headers(request.headers)
            body = await read_body(
                request, self._limits.at_most(source.max_body_bytes), known=False
            )
            source.verifier.check(signed, body, self._clock.now())
        except SignatureRefused as refused:
            header = source.verifier.schemes[0].header
            challenge = {"WWW-Authenticate": f'Signature header="{header}"'}
            raise RequestRefused(401, str(refused), headers=challenge) from None
        if (held := request.get(HELD)) is not None:
            held.sender_is_known()
        current_source.set(source.name)
        try:
            batch = await in_thread(partial(self._read, source, body, signed.message_id))
            if batch is not None:
                await self._intake.accept(batch)
        except InputRefused as error:
            self._on_refused(source.name, report_refusals(error))
            raise
        return no_content()

    def _read(
        self, source: WebhookSource, body: bytes, message_id: str | None
    ) -> StatementBatch | None:
        """In any thread; None where nothing is reported. Raises `InputRefused`."""
        statements = source.adapter.statements(body, message_id)
        if not statements:
            return None
        # the sender could send nothing else in its place: a conflict is a dead letter
        return self._reader.statements(source.name, statements, all_or_nothing=False)
