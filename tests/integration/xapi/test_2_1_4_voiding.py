"""Voiding: 1.0.3 Part 2 section 2.3.2 and Part 3 section 2.1.4, 2.0 section 4.2.6."""

from __future__ import annotations

from tests.support.http_endpoint import STATEMENTS, Endpoint
from tests.support.xapi_factory import ATTEMPTED, COMPLETED, VOIDED, about, new_id, statement


async def status(endpoint: Endpoint, **query: str) -> int:
    return (await endpoint.send("GET", STATEMENTS, **query)).status


async def test_a_voided_statement_is_only_found_as_one(endpoint: Endpoint) -> None:
    (name,) = await endpoint.post(statement())
    assert await status(endpoint, voidedStatementId=name) == 404
    (voiding,) = await endpoint.post(about(name))
    assert await status(endpoint, statementId=name) == 404
    assert await status(endpoint, voidedStatementId=name) == 200
    assert await status(endpoint, statementId=voiding) == 200
    assert await endpoint.found() == [voiding]


async def test_what_is_about_a_voided_statement_is_found_by_it(endpoint: Endpoint) -> None:
    """2.1.3: the voiding one, and what refers to the voided one, but not that itself."""
    (name,) = await endpoint.post(statement())
    (voiding,) = await endpoint.post(about(name))
    (reference,) = await endpoint.post(about(name, ATTEMPTED))
    assert await endpoint.found(verb=COMPLETED) == [reference, voiding]
    assert await endpoint.found(verb=VOIDED) == [voiding]


async def test_what_voids_can_not_be_voided(endpoint: Endpoint) -> None:
    (name,) = await endpoint.post(statement())
    (voiding,) = await endpoint.post(about(name))
    (vain,) = await endpoint.post(about(voiding))
    assert await status(endpoint, statementId=voiding) == 200
    assert await status(endpoint, voidedStatementId=voiding) == 404
    assert await status(endpoint, voidedStatementId=name) == 200
    assert await endpoint.found() == [vain, voiding]


async def test_a_statement_may_be_voided_before_it_comes(endpoint: Endpoint) -> None:
    name = new_id()
    (voiding,) = await endpoint.post(about(name))
    await endpoint.post(statement(id=name))
    assert await status(endpoint, statementId=name) == 404
    assert await status(endpoint, voidedStatementId=name) == 200
    assert await endpoint.found(verb=COMPLETED) == [voiding]


async def test_voiding_in_one_batch(endpoint: Endpoint) -> None:
    name = new_id()
    await endpoint.post([about(name), statement(id=name), statement()])
    assert await status(endpoint, statementId=name) == 404
    assert len(await endpoint.found()) == 2
