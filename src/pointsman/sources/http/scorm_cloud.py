"""Takes POST /scorm-cloud/postback: registrations of SCORM Cloud, stored as statements.

SCORM Cloud repeats what gets a 4xx or 5xx up to 70 times, and takes a 3xx for success. A body that
is not understood is not understood the second time either: it becomes a dead letter, with its
reason, and the answer is 2xx. So only a sender who is not known gets a 401, and a store that is
away a 503.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlencode

from aiohttp import web

from pointsman.domain.errors import InputRefused
from pointsman.sources.batch import BatchReader, StatementBatch, StatementIntake
from pointsman.sources.http.authorization import Authenticator, BasicCredential, HttpSource
from pointsman.sources.http.body import UNKNOWN_BYTES, BodyLimits, RequestBody
from pointsman.sources.http.client_address import sender_address
from pointsman.sources.http.errors import RequestRefused, no_content
from pointsman.sources.http.failed_attempts import FailedAttempts
from pointsman.sources.http.lrs.endpoint import current_source
from pointsman.sources.http.lrs.parameters import pairs
from pointsman.sources.http.routes import POSTBACK
from pointsman.sources.parse_thread import in_thread
from pointsman.statements import media_type
from pointsman.statements.adapters import ScormCloud

#: of dead letters
ORIGIN = f"POST {POSTBACK.path}"
#: what is not UTF-8 in a form is kept, and judged later
_AS_IT_CAME = "surrogateescape"
_FORM = "application/x-www-form-urlencoded"
#: the documentation has both spellings
_USER_NAMES = ("userName", "username")
_PASSWORD = "password"  # noqa: S105 - the name of a field


@dataclass(frozen=True, slots=True)
class PostbackSource:
    """An application of SCORM Cloud, what it shows, and what its postbacks mean."""

    name: str
    credential: BasicCredential
    adapter: ScormCloud
    max_body_bytes: int


class Postbacks:
    """Several sources are told apart by their credentials."""

    def __init__(
        self,
        sources: Sequence[PostbackSource],
        limits: BodyLimits,
        reader: BatchReader,
        intake: StatementIntake,
        attempts: FailedAttempts,
    ) -> None:
        self._adapters = {source.name: source.adapter for source in sources}
        self._authenticator = Authenticator(
            [HttpSource(source.name, (source.credential,)) for source in sources], attempts
        )
        self._most = {source.name: min(source.max_body_bytes, limits.bytes) for source in sources}
        self._seconds = limits.seconds
        self._reader = reader
        self._intake = intake

    async def post(self, request: web.Request) -> web.Response:
        header, address = request.headers.get("Authorization"), sender_address(request)
        in_form = media_type(request.headers.get("Content-Type", "")) == _FORM
        body = RequestBody(request, self._seconds)
        # Only a form is read before it is known who sends: it says so itself.
        if header is None and in_form:
            source = self._sender(await body.start(UNKNOWN_BYTES), address, is_whole=body.is_whole)
        else:
            source = self._authenticator.source(header, address)
        current_source.set(source)
        content = await body.rest(self._most[source])
        await self._accept(source, _postback(_form(content)) if in_form else content)
        return no_content()

    def _sender(self, start: bytes, address: str, *, is_whole: bool) -> str:
        form = _form(start if is_whole else start.rpartition(b"&")[0])
        if not is_whole and _PASSWORD not in form:
            raise RequestRefused(
                413,
                f"a form must show its password within its first {UNKNOWN_BYTES} bytes; let SCORM "
                "Cloud send HTTP Basic (authType HTTPBASIC)",
                close=True,
            )
        user = next((form[name] for name in _USER_NAMES if name in form), "")
        return self._authenticator.sender(user, form.get(_PASSWORD, ""), address)

    async def _accept(self, source: str, body: bytes) -> None:
        try:
            await self._intake.accept(await in_thread(partial(self._read, source, body)))
        except InputRefused as error:
            await self._intake.keep_dead_letter(source, body, str(error), ORIGIN)

    def _read(self, source: str, body: bytes) -> StatementBatch:
        """In any thread. Raises `InputRefused`."""
        statements = self._adapters[source].statements(body)
        return self._reader.statements(source, statements, all_or_nothing=False)


def _form(body: bytes) -> dict[str, str]:
    return dict(pairs(body.decode("utf-8", _AS_IT_CAME)))


def _postback(form: Mapping[str, str]) -> bytes:
    """The postback of a form; the form without its credentials where it has none."""
    if "data" in form:
        return form["data"].encode("utf-8", _AS_IT_CAME)
    rest = {name: text for name, text in form.items() if name not in (*_USER_NAMES, _PASSWORD)}
    return urlencode(rest, errors=_AS_IT_CAME).encode()
