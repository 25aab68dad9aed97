"""`pointsman wait` waits for the daemon, the platform, or for all to be delivered."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from enum import StrEnum
from http import HTTPStatus
from typing import Annotated

import typer

from pointsman import wiring
from pointsman.cli.exit_codes import ExitCode
from pointsman.cli.options import DEFAULT_CONFIG, ConfigOption
from pointsman.cli.platform_session import refuse
from pointsman.config import Settings, load
from pointsman.domain.clock import SystemClock
from pointsman.domain.errors import ConfigError, Retry
from pointsman.outgoing.client import HttpClient, NoReply
from pointsman.outgoing.settings import DIRECT, OutgoingSettings
from pointsman.platforms.base import RequestOutcome

#: seconds between two looks, and for one answer
_PAUSE, _ANSWER = 0.2, 10.0
#: seconds after which what is in the way is said, long before the time is over
_SAY_AFTER = 5.0
_MAX_BYTES = 1_000_000


class Awaited(StrEnum):
    """What can be waited for."""

    DAEMON = "daemon"
    PLATFORM = "platform"
    DELIVERY = "delivery"


#: what is awaited is there, and how it shows; or what is in the way, and what to do about it
Look = Callable[[], Awaitable[tuple[bool, str]]]


def wait(
    what: Annotated[Awaited, typer.Argument(help="What to wait for.")] = Awaited.DAEMON,
    config: ConfigOption = DEFAULT_CONFIG,
    *,
    timeout: Annotated[float, typer.Option(help="Seconds to wait at most.", min=0)] = 120,
    url: Annotated[
        str | None,
        typer.Option(
            help="Where /readyz is; without it, at http.operator.port or http.port of this machine."
        ),
    ] = None,
) -> None:
    """Wait until the daemon takes statements, the platform answers, or all is delivered.

    `daemon`: its /readyz says yes. `platform`: it answers at `platform.url` and knows
    `platform.api_key`. `delivery`: nothing in the store waits to be sent; what is parked does not
    wait, and is named.

    Exit code 0 when it is so, 1 when it can't become so by waiting, 3 when the time is over. What
    is in the way is said after 5 s, and when the time is over.

    **Example:** `pointsman wait daemon --timeout 30`
    """
    settings = load(config)
    looks: dict[Awaited, Callable[[], Awaitable[tuple[bool, str]]]] = {
        Awaited.DAEMON: lambda: _daemon(url or settings.http.probes_url),
        Awaited.PLATFORM: lambda: _platform(settings),
        Awaited.DELIVERY: lambda: _delivery(settings),
    }
    is_there, words = asyncio.run(_until(looks[what], timeout))
    if is_there:
        typer.echo(words)
        return
    typer.echo(f"after {timeout:g} s: {words}", err=True)
    raise typer.Exit(ExitCode.AWAY)


async def _until(look: Look, seconds: float) -> tuple[bool, str]:
    began = time.monotonic()
    said = False
    while True:
        is_there, words = await look()
        waited = time.monotonic() - began
        if is_there or waited > seconds:
            return is_there, words
        if waited > _SAY_AFTER and not said:
            said = True
            typer.echo(f"still waiting, up to {seconds:g} s: {words}", err=True)
        await asyncio.sleep(_PAUSE)


async def _daemon(url: str) -> tuple[bool, str]:
    # it is on this machine, or in this network
    direct = OutgoingSettings(proxy=DIRECT)
    client = HttpClient(direct, "--", timeout_seconds=_ANSWER, max_bytes=_MAX_BYTES)
    try:
        reply = await client.send("GET", f"{url.rstrip('/')}/readyz")
        payload = json.loads(reply.body)
        if reply.status == HTTPStatus.OK and payload["status"] == "ready":
            return True, f"the daemon at {url} takes statements"
        if reply.status == HTTPStatus.SERVICE_UNAVAILABLE:
            return False, f"the daemon at {url} is not ready: {payload['error']['reason']}"
    except NoReply as error:
        if not error.reached:
            return False, (
                f"nothing answers at {url}; is `pointsman run` running with this configuration? "
                "What it printed last says why not"
            )
    except (ValueError, KeyError, TypeError):
        pass
    finally:
        await client.close()
    return False, f"what answers at {url} is not pointsman; is http.port taken by something else?"


async def _platform(settings: Settings) -> tuple[bool, str]:
    calls = wiring.helium_calls(settings, SystemClock())
    try:
        reply = await calls.probe()
    finally:
        await calls.close()
    if reply.data is not None:
        return True, f"the platform answers at {settings.platform.url}"
    if reply.answer.outcome in {RequestOutcome.TOKEN_REFUSED, RequestOutcome.KEY_REFUSED}:
        refuse(
            f"the platform at {settings.platform.url} refuses platform.api_key: {reply.message}",
            "mend platform.api_key",
        )
    return False, (
        f"no good answer at {settings.platform.url} (platform.url): {reply.message}; "
        "is it the right address, and up?"
    )


async def _delivery(settings: Settings) -> tuple[bool, str]:
    # not before it is needed: the other waits need no store
    from pointsman.commands import books as read_books  # noqa: PLC0415 - not before it is needed
    from pointsman.commands import status  # noqa: PLC0415 - not before it is needed

    try:
        books = await read_books(settings)
        pauses = (await status(settings))[0] if books.dirty else []
    except (ConfigError, Retry) as error:
        return False, str(error)
    if not books.accepted:
        return False, (
            f"nothing was received in {settings.store.url} yet; did `pointsman run` start, or did "
            "another daemon that has http.port take the statement?"
        )
    if pauses and pauses[0].kind is None:
        refuse(f"{books.dirty:,} desired states wait: {pauses[0].words}", "pointsman resume")
    if books.dirty:
        return False, (
            f"{books.dirty:,} desired states are not delivered; is `pointsman run` running? Its "
            "log says what it waits for"
        )
    if books.parked:
        refuse(
            f"{books.delivered:,} delivered, {books.parked:,} parked: not sent until the cause is "
            "removed",
            "pointsman parked list",
        )
    return True, f"all is delivered: {books.delivered:,} desired states"
