"""Turns [launches] into what opens launches, lets launched players in, and keeps their tokens."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from pointsman.config import Settings
from pointsman.domain.clock import Clock
from pointsman.domain.launch import Launch
from pointsman.housekeeping import Retention
from pointsman.platforms.tokens.fetched import LONGEST_LIFE, FetchedToken
from pointsman.platforms.tokens.launch import LaunchTokens
from pointsman.sources.http.authorization import HttpSource
from pointsman.sources.http.kept_state import KeptState
from pointsman.sources.http.launch_limits import LaunchLimits
from pointsman.sources.http.launch_routes import LaunchRoutesDeps
from pointsman.sources.players import CredentialIssuer, LaunchCache, LaunchRequest
from pointsman.sources.players.cmi5.lms import Lms
from pointsman.sources.players.launch_actor import ActorRules
from pointsman.sources.players.request_rate import RequestRate
from pointsman.sources.players.statement_quota import StatementBytes, StatementQuota
from pointsman.sources.settings import LaunchLimitSettings
from pointsman.store.base import DocumentAmounts, Store
from pointsman.story.receipt import Receipts
from pointsman.wiring.http import credential
from pointsman.wiring.mapping import identity

_HOUR, _DAY = 3_600.0, 86_400.0


def retention(settings: Settings) -> Retention:
    statements = settings.store.retention_days * _DAY
    launches = settings.launches
    longest = 0.0 if launches is None else launches.max_lifetime_hours * _HOUR
    documents = 0.0 if launches is None else launches.documents_days * _DAY
    if documents:
        # while its launch is there to say that it ended
        documents = min(documents + longest, statements or math.inf)
    return Retention(
        statements=statements,
        actions=settings.store.activity_days * _DAY,
        history=settings.store.history_days * _DAY,
        history_rows=settings.store.history_rows,
        bounds=max(statements, longest),
        documents=documents,
    )


def launch_cache(settings: Settings, store: Store, clock: Clock) -> LaunchCache | None:
    return None if settings.launches is None else LaunchCache(store, clock)


def launch_deps(
    settings: Settings,
    launches: LaunchCache | None,
    tokens: LaunchTokens | None,
    lms: Lms | None,
    store: Store,
    clock: Clock,
    on_over_limit: Callable[[str], None],
    kept: KeptState,
    must_take: Callable[[Launch], None],
) -> LaunchRoutesDeps | None:
    """What the HTTP side needs of it; None where no player is launched.

    `tokens` are those that launches bring. `on_over_limit` is told which setting of
    [launches.limits] has turned a player's request away; `kept` has what they count. `must_take`
    raises `Forbidden` for a learner whose input is refused.
    """
    section = settings.launches
    if section is None or launches is None or lms is None or tokens is None:
        return None

    async def keep_token(asked: LaunchRequest) -> None:
        if asked.auth_token is None:
            return
        lifetime = asked.auth_token_expires_in
        expires_at = None if lifetime is None else clock.now() + min(lifetime, LONGEST_LIFE)
        fetched = FetchedToken(asked.auth_token.get_secret_value(), asked.user_id, expires_at)
        await tokens.give(asked.learner, fetched)

    receipts = Receipts(store, clock)

    async def receipt(launch: Launch) -> dict[str, Any]:
        return (await receipts.of(launch)).as_json()

    return LaunchRoutesDeps(
        operators=HttpSource("operators", tuple(map(credential, section.operators))),
        credentials=CredentialIssuer(section.signing_keys, clock),
        launches=launches,
        keep_token=keep_token,
        settings=section,
        actors=ActorRules(settings.platform.origin, identity(settings).resolve, section.any_actor),
        limits=launch_limits(section.limits, store, clock, on_over_limit, kept),
        lms=lms,
        record=store.record_action,
        receipt=receipt,
        must_take=must_take,
    )


def launch_limits(
    section: LaunchLimitSettings,
    store: Store,
    clock: Clock,
    on_over: Callable[[str], None],
    kept: KeptState,
) -> LaunchLimits:
    rate = section.requests_per_second
    quota = StatementBytes(section.statement_bytes, section.learner_statement_bytes)
    return LaunchLimits(
        kept.of("rate", rate, lambda: RequestRate(rate, clock)),
        kept.of("quota", quota, lambda: StatementQuota(store, quota, clock)),
        section.document_bytes,
        DocumentAmounts(
            section.registration_documents,
            section.registration_bytes,
            section.learner_documents,
            section.learner_bytes,
        ),
        on_over,
    )
