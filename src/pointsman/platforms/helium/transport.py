"""Bytes to the platform and back. `Transport` is what tests put the emulator itself behind."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import aiohttp

from pointsman.domain.errors import PlatformUnreachable
from pointsman.platforms.settings import PlatformSettings

JSON_HEADERS = {"Content-Type": "application/json", "Accept": "application/json"}
#: control characters, and halves of characters
_NOT_IN_A_HEADER = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
#: an answer to a thousand aliases is some 30 kB; whatever is larger is not an answer to us
MAX_ANSWER_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """`headers` looks names up without regard to case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def header_fault(value: str) -> str:
    """Why a value can't stand in a header (RFC 9110, section 5.5); "" when it can."""
    if odd := _NOT_IN_A_HEADER.search(value):
        return f"it holds the character U+{ord(odd[0]):04X}, which can't stand in a header"
    return "" if value.strip() else "it is empty"


class Transport(Protocol):
    """One POST to the instance. Raises `PlatformUnreachable` when no answer came."""

    async def post(self, headers: Mapping[str, str], body: bytes) -> HttpAnswer: ...

    async def close(self) -> None: ...


class HttpTransport:
    """Keep-alive connections to the instance. The key travels as the page's examples send it."""

    def __init__(self, settings: PlatformSettings, *, connections: int) -> None:
        self._url = settings.url
        self._api_key = settings.api_key.get_secret_value()
        self._timeout = aiohttp.ClientTimeout(total=settings.timeout_seconds)
        self._connections = connections
        self._session: aiohttp.ClientSession | None = None

    async def post(self, headers: Mapping[str, str], body: bytes) -> HttpAnswer:
        try:
            async with self._open().post(
                self._url,
                params={"apiKey": self._api_key},
                headers={**headers, "Authorization": f"Bearer {self._api_key}"},
                data=body,
                allow_redirects=False,
            ) as response:
                answer = await response.content.read(MAX_ANSWER_BYTES)
                while not response.content.at_eof() and len(answer) < MAX_ANSWER_BYTES:
                    answer += await response.content.read(MAX_ANSWER_BYTES - len(answer))
                return HttpAnswer(response.status, response.headers, answer)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            # ValueError: a header or an address, of ours or of the answer, that can't be read.
            # aiohttp's words may hold the URL, and the URL holds the key.
            reason = str(error).replace(self._api_key, "***") or type(error).__name__
            raise PlatformUnreachable(f"no answer from the platform: {reason}") from None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=self._timeout,
                connector=aiohttp.TCPConnector(limit=self._connections),
            )
        return self._session
