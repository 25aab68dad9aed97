"""Documents of players: state and profiles (xAPI 1.0.3 Part 3 sections 2.2, 2.3, 2.6 and 2.7).

Bytes are kept as they came, under any content type. Only POST looks inside: it merges JSON objects,
one level deep.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from email.utils import formatdate
from functools import partial
from typing import Literal, TypeVar

import orjson
from aiohttp import web

from pointsman.domain.clock import MICROSECONDS, Clock, micros
from pointsman.sources.http.authorization import AuthorizedSender
from pointsman.sources.http.errors import RequestRefused, json_response, no_content
from pointsman.sources.http.launch_limits import LaunchLimits
from pointsman.sources.http.lrs.endpoint import LrsRequest
from pointsman.sources.http.lrs.preconditions import Refusal, etag, refusal
from pointsman.sources.http.lrs.resources import Resource
from pointsman.sources.http.sender_turns import SenderTurns
from pointsman.sources.parse_thread import LARGE, in_thread
from pointsman.statements import media_type
from pointsman.store.base import Document, DocumentKey, DocumentStore, OverQuota

T = TypeVar("T")
#: whose documents, as an identity, and the source that stores them
MustTake = Callable[[str, str], None]

_JSON = "application/json"
#: bytes of a JSON document that POST merges: to parse it holds up all else, whatever the thread
_MOST_MERGED = 1_048_576
_WHAT_MERGES = f"POST merges JSON of up to {_MOST_MERGED} bytes"
_KINDS: dict[Resource, Literal["state", "activity_profile", "agent_profile"]] = {
    Resource.STATE: "state",
    Resource.ACTIVITY_PROFILE: "activity_profile",
    Resource.AGENT_PROFILE: "agent_profile",
}
#: what a player stored must not run as a page of ours
_INERT = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
}


def merge_turns() -> SenderTurns:
    """Of large documents that are merged at once."""
    return SenderTurns(of_learner=1, of_source=2)


class DocumentResources:
    """The three resources. `launch_limits` are for launched players; there may be none of them.

    `must_take` raises `Forbidden` for an agent whose input is refused.
    """

    def __init__(
        self,
        store: DocumentStore,
        clock: Clock,
        launch_limits: LaunchLimits | None = None,
        must_take: MustTake = lambda _identity, _source: None,
        turns: SenderTurns | None = None,
    ) -> None:
        self._must_take = must_take
        self._store = store
        self._clock = clock
        self._launch_limits = launch_limits
        self._turns = turns or merge_turns()

    async def get(self, call: LrsRequest) -> web.Response:
        key = _key(call)
        if not key.name:
            return json_response(await self._store.documents(key, since=call.parameters.since))
        document = await self._store.document(key)
        if document is None:
            # PyPI's tincan takes whatever body comes for the document's content.
            return web.Response(status=404)
        headers = {
            "Content-Type": document.content_type,
            "ETag": etag(document),
            "Last-Modified": formatdate(document.updated_at // MICROSECONDS, usegmt=True),
            **_INERT,
        }
        return web.Response(body=document.content, headers=headers)

    async def put(self, call: LrsRequest) -> web.Response:
        new = self._document(call, await call.body())
        return await self._change(call, lambda _old: new)

    async def post(self, call: LrsRequest) -> web.Response:
        body = await call.body()
        new = self._document(call, body)
        if media_type(new.content_type) == _JSON:
            if len(body) > _MOST_MERGED:
                raise RequestRefused(413, f"{_WHAT_MERGES}; send a larger document with PUT")
            if len(body) > LARGE:
                async with self._turns.of(AuthorizedSender(call.source, call.launch)):
                    await in_thread(partial(_loads, body, "the body"))
                    return await self._merge(call, new)
            _loads(body, "the body")
        return await self._merge(call, new)

    async def _merge(self, call: LrsRequest, new: Document) -> web.Response:
        return await self._change(call, lambda old: new if old is None else _merged(old, new))

    async def delete(self, call: LrsRequest) -> web.Response:
        key = _key(call)
        if key.name:
            return await self._change(call, lambda _old: None)
        await self._store.delete_documents(key)
        return no_content()

    def _document(self, call: LrsRequest, body: bytes) -> Document:
        return Document(
            call.content_type or "application/octet-stream",
            body,
            hashlib.sha1(body, usedforsecurity=False).hexdigest(),
            micros(self._clock.now()),
        )

    async def _change(
        self, call: LrsRequest, new: Callable[[Document | None], Document | Refusal | None]
    ) -> web.Response:
        limits = self._launch_limits if call.launch is not None else None
        key = _key(call)
        self._must_take(key.agent, call.source)

        def decide(old: Document | None) -> tuple[Document | None, Refusal | OverQuota | None]:
            refused = refusal(
                call.resource, call.method, call.version, call.headers, old, lenient=call.lenient
            )
            result = refused or new(old)
            if isinstance(result, Refusal):
                return old, result
            if limits is not None and result is not None:
                most = limits.document_bytes
                if len(result.content) > most:
                    return old, OverQuota("document_bytes", most)
            return result, None

        if limits is None:
            refused = await self._store.change_document(key, decide)
        else:
            quota = limits.documents
            refused = await self._store.change_document_within(key, quota, decide)
            if isinstance(refused, OverQuota):
                raise limits.refused(refused)
        if isinstance(refused, Refusal):
            return web.Response(status=refused.status, text=refused.reason)
        return no_content()


def _key(call: LrsRequest) -> DocumentKey:
    parameters = call.parameters
    return DocumentKey(
        _KINDS[call.resource],
        parameters.activity_id or "",
        parameters.agent.identity if parameters.agent is not None else "",
        parameters.registration or "",
        parameters.state_id or parameters.profile_id or "",
    )


def _loads(body: bytes, what: str) -> object:
    try:
        value: object = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise RequestRefused(
            400, f"{what} is not JSON, as its Content-Type says: {error}"
        ) from None
    return value


def _merged(old: Document, new: Document) -> Document | Refusal:
    """Properties of `new` replace those of `old` (1.0.3 Part 3 section 2.2)."""
    for which, document in (("the document that is there", old), ("the new document", new)):
        if media_type(document.content_type) != _JSON:
            return Refusal(400, f"POST merges JSON objects, and {which} is {document.content_type}")
        if len(document.content) > _MOST_MERGED:
            return Refusal(413, f"{_WHAT_MERGES}, and {which} is larger")
    try:
        before, after = orjson.loads(old.content), orjson.loads(new.content)
    except orjson.JSONDecodeError:
        return Refusal(400, "POST merges JSON objects, and the document that is there is none")
    for which, value in (("the document that is there", before), ("the new document", after)):
        if not isinstance(value, dict):
            return Refusal(400, f"POST merges JSON objects, and {which} is none")
    content = orjson.dumps({**before, **after})
    digest = hashlib.sha1(content, usedforsecurity=False).hexdigest()
    return Document(_JSON, content, digest, new.updated_at)
