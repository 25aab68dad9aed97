"""Takes POST and PUT of statements (xAPI Part 3 section 2.1.1, 2.1.2); answers after the commit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from aiohttp import web

from pointsman.domain.errors import Forbidden, InputRefused, StatementConflict
from pointsman.sources.batch import Accepted, BatchReader, StatementBatch, StatementIntake
from pointsman.sources.http.authorization import AuthorizedSender
from pointsman.sources.http.errors import ids_response, no_content
from pointsman.sources.http.launch_limits import LaunchLimits
from pointsman.sources.http.lrs.endpoint import LrsRequest
from pointsman.sources.http.lrs.resources import TWO
from pointsman.sources.http.sender_turns import SenderTurns
from pointsman.sources.parse_thread import LARGE, in_thread
from pointsman.statements import (
    JSON,
    StatementsRefused,
    Tolerance,
    check_readings,
    guessed_type,
    media_type,
)

#: large bodies that are understood and stored at once, and those of one learner: what is made of
#: one takes ten times its bytes, and more at once are done no sooner
_LARGE_AT_ONCE, _LARGE_OF_LEARNER = 4, 2
#: what a body of statements may say to be
_TYPES = frozenset({JSON, "multipart/mixed"})


class LargeBodyTurns(SenderTurns):
    """Of large bodies that are understood at once, by one sender and by `all`."""

    def __init__(self) -> None:
        super().__init__(of_learner=_LARGE_OF_LEARNER, of_source=_LARGE_AT_ONCE)
        self.all = asyncio.Semaphore(_LARGE_AT_ONCE)


class PostStatements:
    """`on_refused` is told of the statements of a source that were turned away."""

    def __init__(
        self,
        reader: BatchReader,
        intake: StatementIntake,
        on_refused: Callable[[str, int], None],
        launch_limits: LaunchLimits | None = None,
        turns: LargeBodyTurns | None = None,
    ) -> None:
        self._reader = reader
        self._intake = intake
        self._on_refused = on_refused
        self._launch_limits = launch_limits
        self._turns = turns or LargeBodyTurns()

    async def post(self, call: LrsRequest) -> web.Response:
        accepted = await self._submit(call, None)
        # Nothing is new of what was sent, and nothing was done: that is no 200.
        return no_content() if accepted.already_stored else ids_response(accepted.ids)

    async def put(self, call: LrsRequest) -> web.Response:
        await self._submit(call, call.parameters.statement_id)
        return no_content()

    async def _submit(self, call: LrsRequest, put_id: str | None) -> Accepted:
        try:
            body = await call.body()
            if len(body) <= LARGE:
                return await self._accept(call, self._read(call, body, put_id))
            sender = AuthorizedSender(call.source, call.launch)
            async with self._turns.of(sender), self._turns.all:
                batch = await in_thread(partial(self._read, call, body, put_id))
                return await self._accept(call, batch)
        except (InputRefused, StatementConflict, Forbidden) as error:
            self._on_refused(call.source, report_refusals(error))
            raise

    async def _accept(self, call: LrsRequest, batch: StatementBatch) -> Accepted:
        if call.launch is not None and self._launch_limits is not None:
            await self._launch_limits.count_statements(
                call.launch.registration, call.launch.learner, len(batch.message)
            )
        return await self._intake.accept(batch)

    def _read(self, call: LrsRequest, body: bytes, put_id: str | None) -> StatementBatch:
        """In any thread. Raises `InputRefused`."""
        batch = self._reader.request(
            call.source,
            body,
            # a form need not say what its content is
            content_type=_lenient_type(call.content_type, body)
            if call.lenient
            else call.content_type or (JSON if call.alternate else ""),
            version="2.0.0" if call.version == TWO else "1.0.0",
            put_id=put_id,
            launch=call.launch,
            tolerance=Tolerance.TIDIES if call.lenient else Tolerance.NONE,
        )
        if not call.lenient:
            check_readings(batch.items)
        return batch


def _lenient_type(content_type: str, body: bytes) -> str:
    """What a body is that says to be nothing that is taken, or nothing at all."""
    return content_type if media_type(content_type) in _TYPES else guessed_type(body)


def report_refusals(error: InputRefused | StatementConflict | Forbidden) -> int:
    """The statements at fault; a body that can't be read at all counts as one."""
    match error:
        case StatementsRefused():
            return len({problem.index for problem in error.problems})
        case StatementConflict():
            return len(error.statement_ids)
        case _:
            return 1
