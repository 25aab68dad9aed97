"""Thousands of bad requests: each is refused with a reason, no fault is ours, nothing is stored."""

from __future__ import annotations

import asyncio
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from yarl import URL

from tests.support.bad_requests import Bad, bad_requests, too_big
from tests.support.http_endpoint import STATEMENTS, Endpoint, running
from tests.support.thoroughness import thorough
from tests.support.xapi_factory import statement

_AT_ONCE = 100
_GOES = thorough(200, otherwise=25)


async def send(endpoint: Endpoint, bad: Bad) -> None:
    answer = await endpoint.client.request(
        bad.method,
        URL(f"{bad.path}?{bad.query}" if bad.query else bad.path, encoded=True),
        headers=bad.headers,
        data=None if bad.body is None else BytesIO(bad.body),
        skip_auto_headers=["Content-Type"],
    )
    text = await answer.text(errors="replace")
    assert answer.status in bad.status, (bad, answer.status, text)
    assert text, bad


def test_bad_requests_are_refused_and_leave_the_store_as_it_was() -> None:
    with TemporaryDirectory() as folder, asyncio.Runner() as runner:
        context = running(Path(folder))
        endpoint = runner.run(context.__aenter__())
        runner.run(endpoint.post(statement()))
        before = runner.run(endpoint.snapshot())

        async def all_of(requests: list[Bad]) -> None:
            await asyncio.gather(*(send(endpoint, one) for one in requests))
            assert await endpoint.snapshot() == before

        @settings(
            max_examples=_GOES,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize=True,
            phases=[Phase.generate],  # a hundred at once are not worth shrinking
        )
        @given(st.lists(bad_requests, min_size=_AT_ONCE, max_size=_AT_ONCE))
        def refused(requests: list[Bad]) -> None:
            runner.run(all_of(requests))

        refused()
        runner.run(all_of([too_big(size) for size in (200_001, 1_000_000, 10_000_000)]))
        assert len(endpoint.requests) >= _AT_ONCE * _GOES
        assert not [one for one in endpoint.requests if one[3] >= 500]
        found = runner.run(endpoint.send("GET", STATEMENTS))
        assert found.status == 200
        runner.run(context.__aexit__(None, None, None))
