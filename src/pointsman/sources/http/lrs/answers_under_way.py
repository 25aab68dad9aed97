"""Bounds the answers of the endpoint that are made and written at once.

An answer is held in memory until it is read, and a page of statements takes many times its bytes
while it is made. So one sender has a few of them at a time, and its other requests wait.
"""

from __future__ import annotations

import asyncio
import contextlib

from aiohttp import web

from pointsman.sources.http.authorization import AuthorizedSender
from pointsman.sources.http.body import BytesInFlight
from pointsman.sources.http.errors import RequestRefused
from pointsman.sources.http.sender_turns import SenderTurns

#: answers of one learner, and of one source, from their request until they are written
MOST_OF_LEARNER, MOST_OF_SOURCE = 4, 16
#: searches that are under way; more at once end no sooner, for they share one interpreter
_MOST_SEARCHES = 2
#: bytes of an answer that are not worth counting
_SMALL = 65_536

#: what a request holds until its answer is written
UNTIL_WRITTEN = web.RequestKey("until_written", contextlib.AsyncExitStack)


class AnswersUnderWay:
    """`most_bytes` is of all answers that are being written."""

    def __init__(self, most_bytes: int) -> None:
        self._bytes = BytesInFlight(most_bytes)
        self._turns = SenderTurns(of_learner=MOST_OF_LEARNER, of_source=MOST_OF_SOURCE)
        #: held while an answer is made that statements are searched for
        self.searching = asyncio.Semaphore(_MOST_SEARCHES)

    async def wait_for_turn(self, request: web.Request, sender: AuthorizedSender) -> None:
        """Wait until the sender has one answer less under way; this one is, until it is written.

        Raises `RequestRefused` where the sender has gone meanwhile.
        """
        turns = self._turns.of(sender)
        held = request[UNTIL_WRITTEN] = contextlib.AsyncExitStack()
        await held.enter_async_context(turns)
        if request.transport is None:
            raise RequestRefused(408, "the sender went away before its turn came")

    def add(self, request: web.Request, response: web.Response) -> None:
        """Count the bytes of an answer until it is written.

        Raises `RequestRefused` (503) where there is no room.
        """
        size = len(response.body) if isinstance(response.body, bytes) else 0
        if size > _SMALL:
            self._bytes.add(size)
            request[UNTIL_WRITTEN].callback(self._bytes.remove, size)


async def write_answer(request: web.Request, response: web.StreamResponse) -> None:
    """Write it now, so that what the request holds is held until then.

    Where the sender has gone, aiohttp comes to know it again.
    """
    with contextlib.suppress(ConnectionError):
        await response.prepare(request)
        await response.write_eof()
        if isinstance(response, web.Response):
            # aiohttp keeps the last answer of a connection as long as that is idle
            response.body = None
