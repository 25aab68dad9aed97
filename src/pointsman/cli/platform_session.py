"""What the commands of `pointsman platform` share: calls, learners' tokens, and refusals."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import NoReturn

import typer

from pointsman import wiring
from pointsman.cli.exit_codes import ExitCode
from pointsman.config import Settings
from pointsman.domain.clock import SystemClock
from pointsman.domain.errors import NoToken
from pointsman.platforms.base import LoginClient, RequestOutcome, TokenProvider
from pointsman.platforms.helium import HeliumCalls

_MAY_PASS = {RequestOutcome.UNREACHABLE, RequestOutcome.THROTTLED}


@dataclass(frozen=True, slots=True)
class PlatformSession:
    """One command's connection to the platform."""

    calls: HeliumCalls
    tokens: TokenProvider

    async def token(self, learner: str) -> str:
        """The learner's authToken, or exit code 1 saying where one was looked for.

        Raises `TokenDelayed`.
        """
        try:
            return await self.tokens.token(learner)
        except NoToken as error:
            refuse(str(error), "docs/tokens.md says where tokens come from")


async def with_platform(
    settings: Settings, run: Callable[[PlatformSession], Awaitable[None]]
) -> None:
    """Run, and close what was opened."""
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        clients = wiring.platform_clients(settings, clock)
        stack.push_async_callback(clients.close)
        calls = wiring.helium_calls(settings, clock)
        stack.push_async_callback(calls.close)
        store = wiring.store(settings, clock, beside=True)
        if settings.launches is not None:  # it has the tokens that they brought
            await store.open()
            stack.push_async_callback(store.close)
        tokens = wiring.token_sources(
            settings, store, clock, lambda _learners: None, clients.login.log_in
        ).provider
        await tokens.open()
        stack.push_async_callback(tokens.close)
        await run(PlatformSession(calls, tokens))


async def with_login(settings: Settings, run: Callable[[LoginClient], Awaitable[None]]) -> None:
    """Run without any token: they are what a login is for."""
    clients = wiring.platform_clients(settings, SystemClock())
    try:
        await run(clients.login)
    finally:
        await clients.close()


def refuse(
    message: str, next_step: str, outcome: RequestOutcome = RequestOutcome.ANSWERED
) -> NoReturn:
    """What went wrong and what to do, on standard error; exit code 1, or 3 where it may pass."""
    typer.echo(f"{message}\nnext: {next_step}", err=True)
    raise typer.Exit(ExitCode.AWAY if outcome in _MAY_PASS else ExitCode.NO)
