"""Turns [learners.tokens] into a provider of authTokens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pointsman.config import Settings
from pointsman.delivery.budget.base import Budget, send_paid
from pointsman.domain.clock import Clock, micros
from pointsman.platforms.base import (
    LoginAnswer,
    LoginClient,
    PlatformAnswer,
    RequestOutcome,
    TokenProvider,
)
from pointsman.platforms.tokens.fetched import FetchedTokens, TokenFetcher, TokenVault
from pointsman.platforms.tokens.file import FileTokens
from pointsman.platforms.tokens.inline import InlineTokens
from pointsman.platforms.tokens.launch import LaunchTokens
from pointsman.platforms.tokens.login import LogIn, PasswordLogin
from pointsman.platforms.tokens.service import TokenService
from pointsman.platforms.tokens.settings import TokenSettings
from pointsman.platforms.tokens.vault import EncryptedVault, TokenCipher
from pointsman.store.base import Document, DocumentKey, Store
from pointsman.wiring.account_hints import AccountHints

#: how long a login may wait for the budget, seconds
_PAY_WITHIN = 20.0


@dataclass(frozen=True, slots=True)
class TokenSources:
    """Where authTokens come from; `launched` takes those that launches bring, if any do.

    `inline` are those of the configuration, if they are there.
    """

    provider: AccountHints
    launched: LaunchTokens | None = None
    inline: InlineTokens | None = None

    def reconfigure(self, settings: Settings) -> None:
        """Take on the accounts of these settings, and the tokens that are in them."""
        self.provider.reconfigure(_home_pages(settings))
        tokens = settings.learners.tokens
        if self.inline is not None and tokens.inline is not None:
            self.inline.reconfigure(tokens.inline)


def token_sources(
    settings: Settings,
    store: Store,
    clock: Clock,
    on_new: Callable[[Sequence[str]], None],
    log_in: LogIn,
    *,
    vault: TokenVault | None = None,
) -> TokenSources:
    """Launches before all others, where there are any. `vault` is for tokens that are fetched."""
    section = settings.learners.tokens
    behind = _configured(section, clock, on_new, log_in, vault)
    inline = behind if isinstance(behind, InlineTokens) else None
    if settings.launches is None and behind is not None:
        return TokenSources(_with_hints(behind, settings), inline=inline)
    cipher = TokenCipher(section.encryption_keys)
    launched = LaunchTokens(behind, _TokenDocuments(store, clock), cipher, clock, on_new)
    return TokenSources(_with_hints(launched, settings), launched, inline)


def _with_hints(provider: TokenProvider, settings: Settings) -> AccountHints:
    return AccountHints(provider, _home_pages(settings))


def _home_pages(settings: Settings) -> list[str]:
    return [account.home_page for account in settings.learners.accounts]


def vault(settings: Settings, store: Store, clock: Clock) -> TokenVault | None:
    """Where fetched tokens are kept; None without a key to encrypt them with."""
    keys = settings.learners.tokens.encryption_keys
    if not keys:
        return None
    return EncryptedVault(TokenCipher(keys), clock, store.sealed_tokens, store.save_sealed_tokens)


def paid_login(client: LoginClient, budget: Budget, clock: Clock) -> LogIn:
    """Logging in at the platform, paid from the budget."""

    async def log_in(email: str, password: str) -> LoginAnswer:
        login = await send_paid(
            budget,
            client.points,
            lambda: client.log_in(email, password),
            give_up_at=clock.monotonic() + _PAY_WITHIN,
        )
        if login is None:
            message = "the budget does not allow it yet"
            return LoginAnswer(PlatformAnswer(RequestOutcome.THROTTLED, message=message))
        return login

    return log_in


def _configured(
    settings: TokenSettings,
    clock: Clock,
    on_new: Callable[[Sequence[str]], None],
    log_in: LogIn,
    vault: TokenVault | None,
) -> TokenProvider | None:
    """None where they come with launches alone."""
    if settings.launches:
        return None
    if settings.inline is not None:
        return InlineTokens(settings.inline)
    if settings.file is not None:
        return FileTokens(settings.file, clock, on_new)
    return FetchedTokens(_fetcher(settings, clock, log_in), clock, on_new, vault)


def _fetcher(settings: TokenSettings, clock: Clock, log_in: LogIn) -> TokenFetcher:
    if settings.login is not None:
        return PasswordLogin(settings.login.passwords_file, log_in, clock)
    assert settings.service is not None, "the configuration demands one of them"  # noqa: S101
    return TokenService(settings.service, clock)


class _TokenDocuments:
    """A `LaunchTokenStore`: sealed tokens as documents of a store."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def read(self, learner: str) -> bytes | None:
        document = await self._store.document(_key(learner))
        return None if document is None else document.content

    async def put(self, learner: str, sealed: bytes) -> None:
        document = Document("", sealed, "", micros(self._clock.now()))
        await self._store.change_document(_key(learner), lambda _old: (document, None))

    async def drop(self, learner: str, is_refused: Callable[[bytes], bool]) -> bytes | None:
        def decide(old: Document | None) -> tuple[Document | None, bytes | None]:
            if old is None or is_refused(old.content):
                return None, None
            return old, old.content

        return await self._store.change_document(_key(learner), decide)


def _key(learner: str) -> DocumentKey:
    return DocumentKey("launch_token", name=learner)
