"""[learners.tokens] becomes a provider of authTokens."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from pointsman.domain.clock import Clock
from pointsman.platforms.base import RequestOutcome, TokenProvider
from pointsman.platforms.helium import CallResult, HeliumCalls
from pointsman.platforms.helium.login import LOGIN_POINTS, LoggedIn, LoginClient
from pointsman.platforms.tokens.fetched import FetchedTokens, TokenFetcher, TokenVault
from pointsman.platforms.tokens.file import FileTokens, InlineTokens
from pointsman.platforms.tokens.launch import LaunchTokens
from pointsman.platforms.tokens.login import LogIn, LoginAnswer, PasswordLogin
from pointsman.platforms.tokens.service import TokenService
from pointsman.platforms.tokens.settings import TokenSettings
from pointsman.platforms.tokens.vault import EncryptedVault, TokenCipher
from pointsman.store.base import Store

#: sends one request of so many points, or gives up
Pay = Callable[
    [int, Callable[[], Awaitable[CallResult[LoggedIn]]]], Awaitable[CallResult[LoggedIn] | None]
]


def tokens(
    settings: TokenSettings,
    clock: Clock,
    on_new: Callable[[Sequence[str]], None],
    log_in: LogIn,
    vault: TokenVault | None = None,
) -> TokenProvider | None:
    """Where tokens come from; `log_in` and `vault` are for those that are fetched.

    None where they come with launches alone.
    """
    if settings.launches:
        return None
    if settings.inline is not None:
        return InlineTokens(settings.inline)
    if settings.file is not None:
        return FileTokens(settings.file, clock, on_new)
    return FetchedTokens(_fetcher(settings, clock, log_in), clock, on_new, vault)


def _fetcher(settings: TokenSettings, clock: Clock, log_in: LogIn) -> TokenFetcher:
    if settings.login is not None:
        return PasswordLogin(settings.login.passwords_file, log_in)
    assert settings.service is not None, "the configuration demands one of them"  # noqa: S101
    return TokenService(settings.service, clock)


def vault(settings: TokenSettings, store: Store, clock: Clock) -> TokenVault | None:
    """Where fetched tokens are kept; None without a key to encrypt them with."""
    keys = settings.encryption_keys
    if not keys:
        return None
    return EncryptedVault(TokenCipher(keys), clock, store.sealed_tokens, store.save_sealed_tokens)


def log_in(calls: HeliumCalls, pay: Pay | None = None) -> LogIn:
    """Logging in at the platform; paid from a budget where there is one."""
    logins = LoginClient(calls)

    async def ask(email: str, password: str) -> LoginAnswer:
        async def send() -> CallResult[LoggedIn]:
            return await logins.log_in(email, password)

        reply = await send() if pay is None else await pay(LOGIN_POINTS, send)
        if reply is None:
            return LoginAnswer(words="the budget does not allow it yet", passing=True)
        if reply.data is not None:
            return LoginAnswer(reply.data.token, reply.data.user_id)
        passing = reply.delivery.answer in {RequestOutcome.UNREACHABLE, RequestOutcome.THROTTLED}
        return LoginAnswer(words=reply.words, passing=passing)

    return ask


async def close_tokens(tokens: TokenProvider | None) -> None:
    """Close the connections of a provider that has some."""
    if isinstance(tokens, LaunchTokens):
        tokens = tokens.behind
    if isinstance(tokens, FetchedTokens):
        await tokens.close()
