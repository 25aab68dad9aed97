"""How many answers are made and written at once, and how many bytes they have together."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from pointsman.sources.http.authorization import AuthorizedSender
from pointsman.sources.http.errors import RequestRefused
from pointsman.sources.http.lrs.answers_under_way import (
    MOST_OF_SOURCE,
    UNTIL_WRITTEN,
    AnswersUnderWay,
    write_answer,
)

LMS = AuthorizedSender("lms")


def request(*, gone: bool = False) -> web.Request:
    made = make_mocked_request("GET", "/xapi/statements")
    if gone:
        made._protocol.transport = None
    return made


async def test_a_source_waits_until_one_of_its_answers_is_written() -> None:
    answers = AnswersUnderWay(1_000_000)
    under_way = [request() for _ in range(MOST_OF_SOURCE)]
    for one in under_way:
        await answers.wait_for_turn(one, LMS)
    late = asyncio.create_task(answers.wait_for_turn(request(), LMS))
    await answers.wait_for_turn(request(), AuthorizedSender("another"))
    assert not late.done()
    await under_way[0][UNTIL_WRITTEN].aclose()
    await late


async def test_who_has_gone_meanwhile_gets_no_answer_made() -> None:
    with pytest.raises(RequestRefused, match="went away"):
        await AnswersUnderWay(1_000_000).wait_for_turn(request(gone=True), LMS)


async def test_answers_have_no_more_bytes_together_than_there_may_be() -> None:
    answers = AnswersUnderWay(250_000)
    requests = [request() for _ in range(4)]
    for one in requests:
        await answers.wait_for_turn(one, LMS)
    large = web.Response(body=b"x" * 100_000)
    answers.add(requests[0], large)
    answers.add(requests[1], large)
    answers.add(requests[2], web.Response(body=b"small"))
    with pytest.raises(RequestRefused) as refused:
        answers.add(requests[3], large)
    assert (refused.value.status, "Retry-After" in refused.value.headers) == (503, True)
    await requests[0][UNTIL_WRITTEN].aclose()
    answers.add(requests[3], large)


async def test_an_answer_that_is_written_is_held_no_longer_by_its_connection() -> None:
    response = web.Response(body=b"x" * 100_000)
    await write_answer(request(), response)
    assert response.body is None
