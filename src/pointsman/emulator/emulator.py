"""The whole platform without sockets: one request in, one answer out, on the injected clock.

The way of a GraphQL request: key, size, and then `graphql_endpoint`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeVar

import structlog

from pointsman.domain.clock import Clock
from pointsman.emulator import responses
from pointsman.emulator.administrator import Administrator
from pointsman.emulator.api_key import ApiKey
from pointsman.emulator.catalogue import Catalogue
from pointsman.emulator.dates import moment
from pointsman.emulator.errors import Code
from pointsman.emulator.events import EndpointOptions, PlatformEvents, PostWebhook, Webhooks
from pointsman.emulator.faults import Faults, InjectedFault
from pointsman.emulator.graphql_endpoint import GraphqlEndpoint
from pointsman.emulator.journal import Executed, Journal
from pointsman.emulator.limits import InstanceLimits, Quota
from pointsman.emulator.persistence import NotSavedError, StatePersistence
from pointsman.emulator.responses import HttpReply, RequestError
from pointsman.emulator.rest import RestApi, RestOptions
from pointsman.emulator.schema import load_schema
from pointsman.emulator.state import State
from pointsman.emulator.tokens import IssuedTokens

MAX_BODY_BYTES = 1_048_576
#: seconds
TOKEN_TTL = 3_600.0

#: what a caller whose connection is dropped gets to see: nothing
DROPPED = HttpReply(0, {}, b"", dropped=True)

T = TypeVar("T")
_log = structlog.get_logger(__name__)


class Emulator:
    """An emulated instance of the platform.

    `token_ttl` is in seconds. `handle` never raises for what was sent. With `persistence`, what was
    answered outlives the process, and everything else that changes something may raise
    `NotSavedError`.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        api_key: str,
        clock: Clock,
        points_per_minute: int = 100_000,
        requests_per_minute: int = 2_500,
        points_per_request: int = 1_000,
        token_ttl: float = TOKEN_TTL,
        max_body_bytes: int = MAX_BODY_BYTES,
        faults: Faults | None = None,
        persistence: StatePersistence | None = None,
        webhooks: Sequence[EndpointOptions] = (),
        rest: RestOptions | None = None,
    ) -> None:
        self.catalogue = catalogue
        #: what takes part in them has this object
        self.faults: Final = faults or Faults()
        self.webhooks = Webhooks(clock, self.faults)
        self.events = PlatformEvents(clock, self.faults, self.webhooks)
        for endpoint in webhooks:
            self.webhooks.register(endpoint)
        self._persistence = persistence
        self.max_body_bytes = max_body_bytes
        self._limits = InstanceLimits(points_per_minute, requests_per_minute, points_per_request)
        self.key = ApiKey(api_key)
        self.rest = RestApi(self.key, self.events, clock, self.faults, rest)
        self._clock = clock
        self._token_ttl = token_ttl
        self._schema = load_schema()
        self._start_empty()
        if persistence is not None:
            persistence.load(self._state, self._tokens, self._journal, self.events.log)

    async def run(self, post: PostWebhook) -> None:
        """Send webhooks with `post`, and grant certificates in time, until cancelled."""
        await self.webhooks.run(post, self._advance)

    def _advance(self) -> float | None:
        pause = self.events.advance()
        try:
            self._save()
        except NotSavedError:
            # it is in memory, and the next save writes it; webhooks are sent meanwhile
            _log.exception("emulator.not_kept")
        return pause

    def administer(self, act: Callable[[Administrator, datetime], T]) -> T:
        """Let an administrator do something, now. Raises what `act` raises."""
        self.events.advance()
        result = act(self._administrator, moment(self._clock.now()))
        self._save()
        return result

    def reset(self) -> None:
        """As if freshly started: no progress, tokens, totals, history or open window.

        Faults stay in force.
        """
        self._start_empty()
        if self._persistence is not None:
            self._persistence.clear()

    def _start_empty(self) -> None:
        self.events.clear()
        self.rest.clear()
        self._state = State(self.catalogue, self.events)
        self.events.grants_with(self._state.certificates.grant_due)
        self._administrator = Administrator(self.catalogue, self._state, self.events)
        self._tokens = IssuedTokens(self.catalogue, self._clock, self._token_ttl)
        self._journal = Journal()
        self._quota = Quota(self._limits)
        self._graphql = GraphqlEndpoint(
            self._schema,
            state=self._state,
            tokens=self._tokens,
            journal=self._journal,
            quota=self._quota,
            events=self.events,
            faults=self.faults,
            clock=self._clock,
        )

    async def handle(
        self, *, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> HttpReply:
        """Answer a POST to `/helium`. `query` holds the URL's parameters; header case is free."""
        if not self.key.is_shown(query=query, headers=headers):
            return responses.refusal(401, Code.UNAUTHENTICATED, "the apiKey is missing or wrong")
        if len(body) > self.max_body_bytes:
            return self.too_large()
        injected = InjectedFault()
        try:
            answer = await self._graphql.answer(
                {name.lower(): value for name, value in headers.items()}, body, injected
            )
        except RequestError as refused:
            answer = refused.answer
        try:
            self._save()
        except NotSavedError as error:
            _log.exception("emulator.not_kept")
            return responses.refusal(500, Code.INTERNAL_SERVER_ERROR, f"can't be written: {error}")
        if injected.drop_before or injected.drop_after:
            return DROPPED
        quota = responses.quota_headers(
            self._quota.reading(self._clock.monotonic()),
            now=self._clock.now() + injected.reset_skew,
            cost=answer.cost,
            limit=self._limits.points_per_request,
        )
        return responses.as_json(
            answer.payload, status=answer.status, headers={**quota, **answer.headers}
        )

    def too_large(self) -> HttpReply:
        return responses.refusal(
            413, Code.BAD_REQUEST, f"the body is larger than {self.max_body_bytes} bytes"
        )

    def issue_token(self, email: str) -> str:
        """An authToken as `Login` gives it, but for free. KeyError for an unknown learner."""
        token = self._tokens.issue(self.catalogue.learner_by_email[email.lower()])
        self._save()
        return token

    def expire_tokens(self, email: str | None = None) -> int:
        """No authToken, or none of this learner's, is good any longer; how many were until now.

        KeyError for an unknown learner.
        """
        if email is None:
            expired = self._tokens.expire_all()
        else:
            expired = self._tokens.expire_of(self.catalogue.learner_by_email[email.lower()])
        self._save()
        return expired

    @property
    def history(self) -> list[Executed]:
        """The newest mutations that ran, oldest first."""
        return list(self._journal.history)

    def state(self, *, history: bool = False) -> dict[str, Any]:
        """What `GET /emulator/state` shows (docs/emulator.md)."""
        reading = self._quota.reading(self._clock.monotonic())
        shown: dict[str, Any] = {
            "learners": self._state.as_json(),
            "totals": self._journal.totals(),
            "faults": self.faults.as_json(),
            "webhooks": self.webhooks.as_json(),
            "rest": {"requests": self.rest.requests, "rejected_429": self.rest.rejected_429},
            "events": len(self.events.log),
            "window": {
                "points_left": reading.points_left,
                "requests_left": reading.requests_left,
                "resets_in": reading.resets_in,
            },
        }
        if history:
            shown["history"] = [executed.as_json() for executed in self._journal.history]
            shown["strikes"] = list(self.faults.log)
        return shown

    def _save(self) -> None:
        if self._persistence is None:
            # they are not stored, so they must not pile up
            self._tokens.forget_changes()
            self.events.log.unsaved.clear()
        else:
            self._persistence.save(self._state, self._tokens, self._journal, self.events.log)
