"""Attachments: 1.0.3 Part 3 section 1.5.2 and Part 2 section 2.4.11, 2.0 section 4.1.5."""

from __future__ import annotations

import hashlib
import json
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any

import pytest
from aiohttp import ClientResponse

from tests.support.http_endpoint import STATEMENTS, Endpoint
from tests.support.xapi_factory import (
    BOUNDARY,
    MULTIPART,
    attachment,
    data_part,
    joined,
    multipart,
    part,
    statement,
    sub,
)

PHOTO = b"\x89PNG\r\n\x1a\n\x00\xff--" + BOUNDARY.encode()[:5] + b"\r\n"
NOTE = "naïve\n".encode()


async def send(
    endpoint: Endpoint, body: bytes, kind: str = MULTIPART, **more: Any
) -> ClientResponse:
    return await endpoint.send("POST", STATEMENTS, data=body, Content_Type=kind, **more)


async def parts(answer: ClientResponse) -> tuple[Any, dict[str, tuple[dict[str, str], bytes]]]:
    """The JSON of an answer, and its other parts by hash."""
    kind = answer.headers["Content-Type"]
    assert kind.startswith("multipart/mixed; boundary=")
    limit = b"--" + kind.partition("=")[2].encode()
    body = await answer.read()
    assert body.startswith(limit + b"\r\n")
    assert body.endswith(b"\r\n" + limit + b"--\r\n")
    found: dict[str, tuple[dict[str, str], bytes]] = {}
    first, *others = body.removesuffix(b"\r\n" + limit + b"--\r\n").split(b"\r\n" + limit + b"\r\n")
    for one in others:
        head, _, content = one.partition(b"\r\n\r\n")
        headers = {k: str(v) for k, v in BytesParser(policy=HTTP).parsebytes(head).items()}
        found[headers["X-Experience-API-Hash"]] = (headers, content)
    head, _, content = first.partition(b"\r\n\r\n")
    assert b"application/json" in head
    return json.loads(content), found


async def test_data_comes_back_byte_for_byte(endpoint: Endpoint) -> None:
    photo, note = attachment(PHOTO), attachment(NOTE, contentType="text/plain; charset=utf-8")
    sent = statement(attachments=[photo], object=sub(attachments=[note]))
    body = multipart(
        sent, data_part(PHOTO), data_part(NOTE, Content_Type="text/plain; charset=utf-8")
    )
    answer = await send(endpoint, body)
    assert (answer.status, await answer.json()) == (200, [sent["id"]])
    for query in ({"statementId": sent["id"]}, {"limit": "1"}):
        answer = await endpoint.send("GET", STATEMENTS, attachments="true", **query)
        found, data = await parts(answer)
        shown = found["statements"][0] if "statements" in found else found
        assert shown["attachments"] == [photo]
        assert data.keys() == {photo["sha2"], note["sha2"]}
        headers, content = data[photo["sha2"]]
        assert content == PHOTO
        assert headers["Content-Type"] == "image/png"
        assert headers["Content-Transfer-Encoding"] == "binary"
        assert data[note["sha2"]][1] == NOTE
    for more in ({}, {"attachments": "false"}):
        plain = await endpoint.send("GET", STATEMENTS, statementId=sent["id"], **more)
        assert plain.headers["Content-Type"] == "application/json"
        assert (await plain.json())["attachments"] == [photo]
    head = await endpoint.send("HEAD", STATEMENTS, attachments="true")
    assert (head.status, await head.read()) == (200, b"")


async def test_without_data_the_answer_is_multipart_all_the_same(endpoint: Endpoint) -> None:
    await endpoint.post(statement())
    found, data = await parts(await endpoint.send("GET", STATEMENTS, attachments="true"))
    assert len(found["statements"]) == 1
    assert data == {}


async def test_put_and_batches_take_data_too(endpoint: Endpoint) -> None:
    sent = statement(attachments=[attachment(PHOTO)])
    answer = await endpoint.send(
        "PUT",
        STATEMENTS,
        data=multipart(sent, data_part(PHOTO)),
        Content_Type=MULTIPART,
        statementId=sent["id"],
    )
    assert answer.status == 204
    shared = [statement(attachments=[attachment(PHOTO)]) for _ in range(3)]
    answer = await send(endpoint, multipart([*shared, statement()], data_part(PHOTO)))
    assert answer.status == 200


@pytest.mark.parametrize("algorithm", ["sha224", "sha256", "sha384", "sha512"])
async def test_every_sha2_names_data(one: Endpoint, algorithm: str) -> None:
    name = hashlib.new(algorithm, PHOTO).hexdigest().upper()
    sent = statement(attachments=[attachment(PHOTO, sha2=name)])
    body = multipart(sent, data_part(PHOTO, X_Experience_API_Hash=name))
    assert (await send(one, body)).status == 200
    _, data = await parts(await one.send("GET", STATEMENTS, attachments="true"))
    assert [content for _, content in data.values()] == [PHOTO]


async def test_what_a_multipart_body_may_be(endpoint: Endpoint) -> None:
    plain = multipart(statement())
    assert (await send(endpoint, plain)).status == 200
    assert (await send(endpoint, b"\r\n" + multipart(statement()))).status == 200
    assert (await send(endpoint, b"a preamble\r\n" + multipart(statement()))).status == 200
    tight = multipart(statement()).replace(b"Content-Type: ", b"content-type:")
    assert (await send(endpoint, tight)).status == 200
    elsewhere = attachment(PHOTO, fileUrl="http://e.com/photo.png")
    assert (await endpoint.post(statement(attachments=[elsewhere]))) != []
    body = multipart(statement(attachments=[elsewhere]), data_part(PHOTO))
    assert (await send(endpoint, body)).status == 200


ONE = statement(attachments=[attachment(PHOTO)])
REFUSED: dict[str, tuple[bytes, str, str]] = {
    "no boundary in the header": (multipart(ONE, data_part(PHOTO)), "multipart/mixed", "boundary"),
    "another boundary": (multipart(ONE, data_part(PHOTO)), "multipart/mixed; boundary=x", "bound"),
    "no end": (multipart(ONE, data_part(PHOTO))[:-6], MULTIPART, "closing"),
    "cut in the data": (multipart(ONE, data_part(PHOTO))[:-30], MULTIPART, "closing"),
    "nothing": (b"", MULTIPART, "boundary"),
    "JSON": (json.dumps(ONE).encode(), MULTIPART, "boundary"),
    "the statements not first": (
        joined(data_part(PHOTO), part(b"{}", {"Content-Type": "application/json"})),
        MULTIPART,
        "first part",
    ),
    "statements of another type": (
        joined(part(json.dumps(statement()).encode(), {"Content-Type": "text/plain"})),
        MULTIPART,
        "first part",
    ),
    "statements that are broken": (
        joined(part(b"{", {"Content-Type": "application/json"})),
        MULTIPART,
        "not JSON",
    ),
    "no hash": (multipart(ONE, data_part(PHOTO, X_Experience_API_Hash="")), MULTIPART, "Hash"),
    "a hash of other data": (
        multipart(ONE, data_part(b"x", X_Experience_API_Hash=attachment(PHOTO)["sha2"])),
        MULTIPART,
        "SHA-2",
    ),
    "no transfer encoding": (
        multipart(ONE, data_part(PHOTO, Content_Transfer_Encoding="")),
        MULTIPART,
        "binary",
    ),
    "base64": (
        multipart(ONE, data_part(PHOTO, Content_Transfer_Encoding="base64")),
        MULTIPART,
        "binary",
    ),
    "data of no statement": (
        multipart(ONE, data_part(PHOTO), data_part(NOTE)),
        MULTIPART,
        "attached to no statement",
    ),
    "data that did not come": (multipart(ONE), MULTIPART, "fileUrl"),
    "data that did not come, in JSON": (json.dumps(ONE).encode(), "application/json", "fileUrl"),
    "a form": (multipart(ONE, data_part(PHOTO)), MULTIPART.replace("mixed", "form-data"), "mixed"),
    "text": (json.dumps(statement()).encode(), "text/plain", "application/json"),
    "no type": (json.dumps(statement()).encode(), "", "application/json"),
}


@pytest.mark.parametrize(("body", "kind", "words"), REFUSED.values(), ids=REFUSED)
async def test_what_it_may_not_be(endpoint: Endpoint, body: bytes, kind: str, words: str) -> None:
    before = await endpoint.snapshot()
    answer = await send(endpoint, body, kind)
    assert answer.status == 400
    assert words in await answer.text()
    assert await endpoint.snapshot() == before
