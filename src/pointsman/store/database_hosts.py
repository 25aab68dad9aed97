"""The hosts of a PostgreSQL address, and the first of them that can be used."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar
from urllib.parse import urlsplit, urlunsplit

T = TypeVar("T")


def each_host(url: str) -> list[str]:
    """postgresql://USER@HOST,HOST:PORT/DATABASE as one address for each host, in order."""
    parts = urlsplit(url)
    user, at, hosts = parts.netloc.rpartition("@")
    return [urlunsplit(parts._replace(netloc=f"{user}{at}{host}")) for host in hosts.split(",")]


async def first_to_succeed(
    addresses: Sequence[str],
    attempt: Callable[[str], Awaitable[T]],
    stagger: float,
    discard: Callable[[T], None],
) -> tuple[str, T]:
    """The first address whose attempt succeeds, and its result; the other attempts are cancelled.

    The next address is tried when one has failed, or has not answered for `stagger` seconds (as
    RFC 8305 does it), so that a host which is gone without a word holds up nothing. `discard` gets
    results that came too late. Where all fail, raises an `ExceptionGroup` of their errors, in
    order.
    """
    waiting = list(addresses)
    tasks: dict[asyncio.Future[T], str] = {}
    errors: dict[str, Exception] = {}
    try:
        while waiting or tasks:
            if waiting:
                address = waiting.pop(0)
                tasks[asyncio.ensure_future(attempt(address))] = address
            done, _ = await asyncio.wait(
                tasks,
                timeout=stagger if waiting else None,
                return_when=asyncio.FIRST_COMPLETED,
            )
            for task in done:
                address = tasks.pop(task)
                try:
                    return address, task.result()
                except Exception as error:  # noqa: BLE001 - any kind; raised below with the others
                    errors[address] = error
    finally:
        for task in tasks:
            task.cancel()
        for late in await asyncio.gather(*tasks, return_exceptions=True):
            if not isinstance(late, BaseException):
                discard(late)
    raise ExceptionGroup("no address can be used", [errors[address] for address in addresses])
