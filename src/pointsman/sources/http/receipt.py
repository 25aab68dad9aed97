"""Answers GET /launches/{registration}/receipt: what became of a launch, for its learner.

JSON for who shows a credential of this very launch. A browser that asks for HTML gets a page
without anybody's data, which reads the credential from the fragment of its own address: that is
never sent to a server, and is in no log. docs/launches.md.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Awaitable, Callable, Sequence
from importlib.resources import files
from typing import Any

from aiohttp import web

from pointsman.domain.errors import Forbidden
from pointsman.domain.launch import Launch
from pointsman.sources.http.authorization import LAUNCHED, RequestAuthorizer
from pointsman.sources.http.errors import json_response
from pointsman.sources.http.lrs.endpoint import current_source
from pointsman.sources.players import CredentialRefused, Purpose
from pointsman.sources.players.credentials import credential_from_header

#: any credential that the launch's player or page holds, but the one that is good once
_PURPOSES = (Purpose.RECEIPT, Purpose.XAPI, Purpose.SCORM)
_NO_STORE = {"Cache-Control": "no-store"}

MakeReceipt = Callable[[Launch], Awaitable[dict[str, Any]]]


class ReceiptResource:
    """`receipt` reads what is committed. `framers` are the origins that may show the page."""

    def __init__(
        self, authorizer: RequestAuthorizer, receipt: MakeReceipt, framers: Sequence[str]
    ) -> None:
        self._authorizer = authorizer
        self._receipt = receipt
        self._page = files("pointsman.sources.http").joinpath("receipt.html").read_text("utf-8")
        self._policy = _policy(self._page, framers)

    async def get(self, request: web.Request) -> web.Response:
        """401 without a credential, 403 with one of another launch."""
        authorization = request.headers.get("Authorization")
        if authorization is None and "text/html" in request.headers.get("Accept", ""):
            headers = {**_NO_STORE, "Content-Security-Policy": self._policy}
            headers |= {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
            return web.Response(text=self._page, content_type="text/html", headers=headers)
        token = credential_from_header(authorization)
        if token is None:
            raise CredentialRefused("the launch's credential is missing: Authorization: Bearer …")
        launch = await self._authorizer.launch(token, *_PURPOSES)
        current_source.set(LAUNCHED)
        if launch.registration != request.match_info["registration"].lower():
            raise Forbidden("the credential is of another launch")
        return json_response(await self._receipt(launch), headers=_NO_STORE)


def _policy(page: str, framers: Sequence[str]) -> str:
    """The page runs its own script and style, and asks its own address."""
    hashes = {tag: _hash(page, tag) for tag in ("script", "style")}
    ancestors = " ".join(framers) or "'self'"
    return (
        f"default-src 'none'; script-src {hashes['script']}; style-src {hashes['style']}; "
        f"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors {ancestors}"
    )


def _hash(page: str, tag: str) -> str:
    """As a policy names the content of an element (CSP 3 section 2.3.1)."""
    found = re.search(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
    content = "" if found is None else found[1]
    digest = hashlib.sha256(content.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
