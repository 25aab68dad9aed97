"""Signed statements: 1.0.3 Part 2 section 2.6, 2.0 section 4.2.8."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from aiohttp import ClientResponse
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from tests.support.http_endpoint import STATEMENTS, Endpoint
from tests.support.xapi_factory import (
    BEN,
    MULTIPART,
    attachment,
    data_part,
    multipart,
    new_id,
    statement,
)

USAGE = "http://adlnet.gov/expapi/attachments/signature"
BINARY = "application/octet-stream"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
STRANGER = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def certificate(key: rsa.RSAPrivateKey) -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "player")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    return base64.b64encode(made.public_bytes(serialization.Encoding.DER)).decode()


def signed(payload: Any, algorithm: str = "RS256", **header: Any) -> bytes:
    content = payload if isinstance(payload, bytes) else json.dumps(payload, indent=2).encode()
    key: Any = "x" * 64 if algorithm.startswith("HS") else KEY
    return jwt.PyJWS().encode(content, key, algorithm, header).encode()


async def send(
    endpoint: Endpoint, sent: dict[str, Any], signature: bytes, kind: str = BINARY
) -> ClientResponse:
    attached = attachment(signature, usageType=USAGE, contentType=kind)
    body = multipart({**sent, "attachments": [attached]}, data_part(signature, Content_Type=kind))
    return await endpoint.send("POST", STATEMENTS, data=body, Content_Type=MULTIPART)


@pytest.mark.parametrize("algorithm", ["RS256", "RS384", "RS512"])
async def test_a_signature_of_the_statement_is_taken(endpoint: Endpoint, algorithm: str) -> None:
    sent = statement()
    answer = await send(endpoint, sent, signed(sent, algorithm))
    assert answer.status == 200, await answer.text()
    found = await (await endpoint.send("GET", STATEMENTS, statementId=sent["id"])).json()
    assert found["attachments"][0]["usageType"] == USAGE


async def test_with_a_certificate_the_signature_is_checked(one: Endpoint) -> None:
    sent = statement()
    assert (await send(one, sent, signed(sent, x5c=[certificate(KEY)]))).status == 200
    other = statement()
    answer = await send(one, other, signed(other, x5c=[certificate(STRANGER)]))
    assert answer.status == 400
    assert "certificate" in await answer.text()
    for nonsense in ([], ["x"], ["AAAA"], "x"):
        fresh = statement()
        answer = await send(one, fresh, signed(fresh, x5c=nonsense))
        assert answer.status in {200, 400}
        assert (answer.status == 200) == (nonsense == [])


async def test_what_is_assigned_later_need_not_be_signed(one: Endpoint) -> None:
    sent = statement()
    unnamed = {name: value for name, value in sent.items() if name != "id"}
    assert (await send(one, sent, signed(unnamed))).status == 200


async def test_durations_are_compared_to_a_hundredth_of_a_second(endpoint: Endpoint) -> None:
    """Part 2 section 4.6, 2.0 section 4.2.7; what came is shown."""
    sent = statement(result={"duration": "P1DT12H36M0.12567S"})
    for signed_duration, status in (("P1DT12H36M0.12S", 200), ("P1DT12H36M0.13S", 400)):
        sent["id"] = new_id()
        signature = signed({**sent, "result": {"duration": signed_duration}})
        assert (await send(endpoint, sent, signature)).status == status
        if status == 200:
            found = await endpoint.send("GET", STATEMENTS, statementId=sent["id"])
            assert (await found.json())["result"] == sent["result"]


@pytest.mark.parametrize(
    ("signature", "words"),
    [
        (lambda sent: signed({**sent, "actor": BEN}), "another statement"),
        (lambda sent: signed({**sent, "id": new_id()}), "another statement"),
        (lambda sent: signed([sent]), "another statement"),
        (lambda sent: signed(sent, "HS256"), "RS256"),
        (lambda _: signed(b"no json"), "no JSON web signature"),
        (lambda _: b"x.y.z", "no JSON web signature"),
        (lambda sent: json.dumps(sent).encode(), "no JSON web signature"),
        (lambda _: b"\xff\xfe", "no JSON web signature"),
        (lambda _: b"", "no JSON web signature"),
    ],
)
async def test_a_malformed_signature_is_refused(
    endpoint: Endpoint, signature: Any, words: str
) -> None:
    sent = statement()
    before = await endpoint.snapshot()
    answer = await send(endpoint, sent, signature(sent))
    assert answer.status == 400
    assert words in await answer.text()
    assert await endpoint.snapshot() == before


async def test_a_signature_is_octets(endpoint: Endpoint) -> None:
    sent = statement()
    answer = await send(endpoint, sent, signed(sent), "application/json")
    assert answer.status == 400
    assert "application/octet-stream" in await answer.text()
