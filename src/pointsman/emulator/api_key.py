"""The instance's key, and whether a request shows it."""

from __future__ import annotations

import hmac
from collections.abc import Mapping


class ApiKey:
    """Header case is free."""

    def __init__(self, key: str) -> None:
        self._key = key.encode()

    def is_shown(self, *, query: Mapping[str, str], headers: Mapping[str, str]) -> bool:
        """By `apiKey` of the URL, or without one by the bearer of `Authorization`."""
        presented = query.get("apiKey")
        return self._is(_bearer(headers) if presented is None else presented)

    def is_bearer(self, headers: Mapping[str, str]) -> bool:
        """By the bearer of `Authorization`, the only way that the REST API knows."""
        return self._is(_bearer(headers))

    def _is(self, presented: str) -> bool:
        return hmac.compare_digest(presented.encode("utf-8", "replace"), self._key)


def _bearer(headers: Mapping[str, str]) -> str:
    by_name = {name.lower(): value for name, value in headers.items()}
    scheme, _, credentials = by_name.get("authorization", "").partition(" ")
    return credentials.strip() if scheme.lower() == "bearer" else ""
