"""Asks our own addresses, from outside in: the public one, and that of operators."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Any

from pointsman.commands.doctor.store import StoreExamination
from pointsman.config import Settings
from pointsman.doctor import NotChecked, Result
from pointsman.doctor.listeners import OperatorFacts, PublicFacts, judge_operator, judge_public
from pointsman.domain.installation import installation_name
from pointsman.outgoing.client import HttpClient, NoReply
from pointsman.outgoing.settings import DIRECT, OutgoingSettings

#: seconds for one answer, and bytes of it
_ANSWER, _MOST = 5.0, 1_000_000


async def examine_listeners(settings: Settings, store: StoreExamination) -> AsyncIterator[Result]:
    """Nothing is asked while no daemon runs on the store."""
    url, setting = public_url(settings)
    if not store.replicas:
        why = store.why_not if store.store is None else "no daemon runs on this store"
        yield NotChecked("operator listener", why)
        if url:
            yield NotChecked("public URL", why)
        return
    for finding in judge_operator(await _operator(settings.http.probes_url)):
        yield finding
    if url:
        public = await _public(url, setting)
        for finding in judge_public(public, installation_name(store.installation_secret)):
            yield finding


def public_url(settings: Settings) -> tuple[str, str]:
    """The address that senders use, and its setting; "" where none is set."""
    if settings.http.public_url:
        return settings.http.public_url.rstrip("/"), "http.public_url"
    if settings.launches is not None:
        return settings.launches.public_url.rstrip("/"), "launches.public_url"
    return "", ""


async def _operator(url: str) -> OperatorFacts:
    # it is on this machine, or in this network
    client = _client(OutgoingSettings(proxy=DIRECT))
    try:
        reply = await client.send("GET", f"{url}/readyz")
    except NoReply as error:
        return OperatorFacts(url, str(error))
    finally:
        await client.close()
    answer = _json(reply.body)
    refused = answer.get("error")
    refused = refused if isinstance(refused, dict) else {}
    details = refused.get("details", answer.get("details"))
    if not isinstance(details, dict):
        return OperatorFacts(url)
    return OperatorFacts(
        url, "", is_pointsman=True, reason=refused.get("reason", ""), details=details
    )


async def _public(url: str, setting: str) -> PublicFacts:
    client = _client(OutgoingSettings())
    try:
        reply = await client.send("GET", f"{url}/", headers={"Accept": "application/json"})
        installation = str(_json(reply.body).get("installation", ""))
        shown = False
        if installation:
            metrics = await client.send("GET", f"{url}/metrics")
            shown = metrics.status == HTTPStatus.OK
        return PublicFacts(url, setting, "", reply.status, installation, shown)
    except NoReply as error:
        return PublicFacts(url, setting, str(error))
    finally:
        await client.close()


def _client(settings: OutgoingSettings) -> HttpClient:
    return HttpClient(settings, "--", timeout_seconds=_ANSWER, max_bytes=_MOST)


def _json(body: bytes) -> dict[str, Any]:
    try:
        content = json.loads(body)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
