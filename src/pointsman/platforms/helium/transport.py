"""Bytes to the platform and back. `Transport` is what tests put the emulator itself behind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, TypeAlias

from pointsman.domain.errors import PlatformUnreachable
from pointsman.outgoing.client import Address, HttpClient, HttpReply, NoReply
from pointsman.platforms.settings import PlatformSettings

JSON_HEADERS = {"Content-Type": "application/json", "Accept": "application/json"}
#: an answer to a thousand aliases is some 30 kB; whatever is larger is not an answer to us
MAX_ANSWER_BYTES = 4 * 1024 * 1024

HttpAnswer: TypeAlias = HttpReply


class Transport(Protocol):
    """One POST to the instance. Raises `PlatformUnreachable` when no answer came."""

    async def post(self, headers: Mapping[str, str], body: bytes) -> HttpAnswer: ...

    async def close(self) -> None: ...


class HttpTransport:
    """Keep-alive connections to the instance. The key travels as the page's examples send it."""

    def __init__(self, settings: PlatformSettings, *, connections: int) -> None:
        self._url = settings.url
        self._client = HttpClient(
            settings,
            "platform.",
            timeout_seconds=settings.timeout_seconds,
            connections=connections,
            max_bytes=MAX_ANSWER_BYTES,
        )
        self.reconfigure(settings)

    def reconfigure(self, settings: PlatformSettings) -> None:
        """Show another key from now on."""
        self._key = settings.api_key.get_secret_value()
        self._address = Address(self._url, {"apiKey": self._key})
        self._authorization = {"Authorization": f"Bearer {self._key}"}

    async def post(self, headers: Mapping[str, str], body: bytes) -> HttpAnswer:
        key = self._key
        try:
            return await self._client.send(
                "POST", self._address, headers={**headers, **self._authorization}, body=body
            )
        except NoReply as error:
            reason = str(error).replace(key, "***")
            raise PlatformUnreachable(f"no answer from the platform: {reason}") from None

    async def close(self) -> None:
        await self._client.close()
