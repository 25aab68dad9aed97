"""How much is done for a statement between the socket and its answer, in counts and not in time.

A change that makes the path longer fails here. The failure lists what is called most: make that
less, or raise the number and say why in the change.
"""

from __future__ import annotations

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from bench.post_load import Job
from bench.post_load import statement as reported_progress
from pointsman.sources import parse_thread
from pointsman.store.sqlite import SqliteStore
from tests.support.http_endpoint import Endpoint, running
from tests.support.parse_counts import counted_parses
from tests.support.work_counts import counted_calls

_STATEMENTS = 100
_JOB = Job(0, 0, 0, 1, [], 20, "learner", 1)


def _statements(first: int) -> list[dict[str, Any]]:
    """As the benchmark posts them, about topics of a rule."""
    made = [reported_progress(_JOB, first + place, "") for place in range(_STATEMENTS)]
    for place, statement in enumerate(made):
        statement["object"]["id"] = f"http://example.com/course/{place % 5}"
    return made


async def _post(endpoint: Endpoint, bodies: list[bytes]) -> None:
    for body in bodies:
        answer = await endpoint.send("POST", "/xapi/statements", data=body)
        assert answer.status == 200


#: calls of our functions and steps of SQL, at most, for each statement; a slow machine makes two or
#: three calls more, for what is done once in a second is done more often
@pytest.mark.parametrize(
    ("batch", "most_calls", "most_sql"),
    [
        # alone, each waits some turns of the loop for others that would share its commit
        pytest.param(1, 235.0, 10.1, id="single posts"),
        # a hundred rows are bound in three steps: cheaper than out of JSON in one
        pytest.param(100, 78.0, 0.14, id="batches of 100"),
    ],
)
async def test_a_statement_costs_no_more_calls_and_steps_of_sql_than_it_did(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    batch: int,
    most_calls: float,
    most_sql: float,
) -> None:
    # threads of an earlier test are not counted
    monkeypatch.setattr(parse_thread, "_THREADS", ThreadPoolExecutor(1))
    sql: list[str] = []
    with counted_calls() as calls:
        async with running(tmp_path) as endpoint:
            assert isinstance(endpoint.store, SqliteStore)
            connection = endpoint.store._connection
            assert connection is not None
            await _post(endpoint, [json.dumps(_statements(0)).encode()])
            statements = _statements(_STATEMENTS)
            bodies = [
                json.dumps(statements[start : start + batch] if batch > 1 else statements[start])
                for start in range(0, _STATEMENTS, batch)
            ]
            connection.set_trace_callback(sql.append)
            calls.clear()
            await _post(endpoint, [body.encode() for body in bodies])
            done = Counter({name: count / _STATEMENTS for name, count in calls.items()})
            connection.set_trace_callback(None)
    called, steps = sum(done.values()), len(sql) / _STATEMENTS
    print(f"{called:.1f} calls, {steps:.2f} steps of SQL")  # noqa: T201 - with -s
    most = "\n".join(f"{count:7.2f} {name}" for name, count in done.most_common(40))
    assert called <= most_calls, most
    assert steps <= most_sql, "\n".join(sql[:40])


@pytest.mark.parametrize("batch", [1, _STATEMENTS])
async def test_a_body_is_parsed_once_and_a_statement_is_validated_once(
    tmp_path: Path, batch: int
) -> None:
    async with running(tmp_path) as endpoint:
        statements = _statements(0)[:batch]
        body = json.dumps(statements if batch > 1 else statements[0]).encode()
        with counted_parses() as counts:
            await _post(endpoint, [body])
    assert counts.of_statements() == 1
    assert counts.validations == batch
