"""Turns [launches] into what opens launches, lets launched players in, and keeps their tokens."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pointsman.config import Settings
from pointsman.domain.clock import Clock, micros
from pointsman.platforms.base import TokenProvider
from pointsman.platforms.tokens.fetched import FetchedToken, TokenVault
from pointsman.platforms.tokens.launch import LaunchTokens
from pointsman.platforms.tokens.login import LogIn
from pointsman.platforms.tokens.vault import TokenCipher
from pointsman.sources.http import HttpSource, LaunchRoutesDeps, LaunchSettings
from pointsman.sources.players import CredentialIssuer, LaunchCache, LaunchRequest
from pointsman.sources.players.cmi5.lms import Lms
from pointsman.store.base import Document, DocumentKey, Store
from pointsman.wiring.sources import credential
from pointsman.wiring.tokens import tokens

_HOUR = 3_600.0


class _TokenDocuments:
    """Keeps sealed tokens as documents of a store."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def read(self, learner: str) -> bytes | None:
        document = await self._store.document(_key(learner))
        return None if document is None else document.content

    async def put(self, learner: str, sealed: bytes) -> None:
        document = Document("", sealed, "", micros(self._clock.now()))
        await self._store.change_document(_key(learner), lambda _old: (document, None))

    async def drop(self, learner: str, is_it: Callable[[bytes], bool]) -> bytes | None:
        def decide(old: Document | None) -> tuple[Document | None, bytes | None]:
            if old is None or is_it(old.content):
                return None, None
            return old, old.content

        return await self._store.change_document(_key(learner), decide)


def _key(learner: str) -> DocumentKey:
    return DocumentKey("launch_token", name=learner)


def provider(
    settings: Settings,
    store: Store,
    clock: Clock,
    on_new: Callable[[Sequence[str]], None],
    log_in: LogIn,
    *,
    vault: TokenVault | None = None,
) -> TokenProvider:
    """Where authTokens come from: launches before all others, where there are any."""
    section = settings.learners.tokens
    behind = tokens(section, clock, on_new, log_in, vault)
    if settings.launches is None and behind is not None:
        return behind
    sealer = TokenCipher(section.encryption_keys)
    return LaunchTokens(behind, _TokenDocuments(store, clock), sealer, clock, on_new)


def known_launches(settings: Settings, store: Store, clock: Clock) -> LaunchCache | None:
    return None if settings.launches is None else LaunchCache(store, clock)


def launch_deps(
    settings: Settings,
    launches: LaunchCache | None,
    token_provider: TokenProvider,
    lms: Lms | None,
    clock: Clock,
) -> LaunchRoutesDeps | None:
    """What the HTTP side needs of it; None where no player is launched.

    `token_provider` is the one that launches give their tokens to.
    """
    section = settings.launches
    if (
        section is None
        or launches is None
        or lms is None
        or not isinstance(token_provider, LaunchTokens)
    ):
        return None

    async def keep_token(asked: LaunchRequest) -> None:
        if asked.auth_token is None:
            return
        lifetime = asked.auth_token_expires_in
        expires_at = None if lifetime is None else clock.now() + lifetime
        fetched = FetchedToken(asked.auth_token.get_secret_value(), asked.user_id, expires_at)
        await token_provider.give(asked.learner, fetched)

    return LaunchRoutesDeps(
        operators=HttpSource("operators", tuple(map(credential, section.operators))),
        credentials=CredentialIssuer(section.signing_keys, clock),
        launches=launches,
        keep_token=keep_token,
        settings=LaunchSettings(
            public_url=section.public_url,
            lifetime=section.lifetime_hours * _HOUR,
            longest=section.max_lifetime_hours * _HOUR,
            home_page=settings.platform.origin,
        ),
        lms=lms,
    )
