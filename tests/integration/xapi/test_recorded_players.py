"""What published clients were recorded to send, sent again: each gets the answer that it needs."""

from __future__ import annotations

import base64
import hashlib
import json
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse
from yarl import URL

from tests.support.http_endpoint import LENIENT, PLAYER, Endpoint, running

DATA = Path(__file__).parents[2] / "data" / "players"
#: set by whoever sends
_ABOUT_THE_CONNECTION = {
    "host",
    "connection",
    "content-length",
    "origin",
    "referer",
    "transfer-encoding",
}


def recorded(client: str) -> list[dict[str, Any]]:
    with (DATA / f"{client}.jsonl").open() as lines:
        return [json.loads(line) for line in lines]


async def replay(endpoint: Endpoint, row: dict[str, Any]) -> ClientResponse:
    headers = {
        name: value for name, value in row["headers"] if name.lower() not in _ABOUT_THE_CONNECTION
    }
    if "Authorization" in headers:
        headers |= LENIENT
    body = row["body"].encode() if "body" in row else base64.b64decode(row["body_base64"])
    return await endpoint.client.request(
        row["method"],
        URL(f"{row['path']}?{row['query']}", encoded=True),
        headers=headers | {"Origin": PLAYER},
        data=body or None,
        skip_auto_headers=["Content-Type", "User-Agent", "Accept"],
    )


#: where the recorder was no record store: it looked at neither hashes nor ETags
OTHERWISE = {
    ("tincanjs", 247): (412, "If-Match"),  # its ETag is made up, and there is no such document
    ("xapi-xapi", 323): (400, "SHA-2"),  # so are the hashes of these two
    ("xapi-xapi", 380): (400, "SHA-2"),
}


def needed(client: str, row: dict[str, Any]) -> tuple[int, str]:
    """The status, and words that must be in the answer."""
    if (client, row["seq"]) in OTHERWISE:
        return OTHERWISE[client, row["seq"]]
    if row.get("fault_injected"):  # what it would have needed
        return (204 if row["method"] == "PUT" else 200), ""
    return row["response_status"], ""


@pytest.mark.parametrize("client", ["tincanjs", "xapi-xapi"])
async def test_each_recorded_exchange_gets_what_the_client_needs(
    client: str, tmp_path: Path
) -> None:
    for number, (_, rows) in enumerate(groupby(recorded(client), key=lambda row: row["step"])):
        folder = tmp_path / str(number)
        folder.mkdir()
        async with running(folder) as endpoint:
            ours: dict[str, str] = {}  # ids that the recorder gave, and those that we gave
            for row in rows:
                query = row["query"]
                for theirs, name in ours.items():
                    query = query.replace(theirs, name)
                answer = await replay(endpoint, {**row, "query": query})
                status, words = needed(client, row)
                text = (await answer.read()).decode("latin-1")
                assert answer.status == status, (row["seq"], text)
                assert words in text
                assert answer.headers["Access-Control-Allow-Origin"] == PLAYER
                if row["path"].endswith("/statements") and text.startswith('["'):
                    told = json.loads(row["response_body"]) if row["response_status"] == 200 else []
                    ours |= dict(zip(told, json.loads(text), strict=bool(told)))


async def test_with_its_true_hash_the_recorded_attachment_is_taken(tmp_path: Path) -> None:
    (row,) = [one for one in recorded("xapi-xapi") if one["seq"] == 323]
    true = hashlib.sha256(row["body"].rpartition("\r\n\r\n")[2].split("\r\n--")[0].encode())
    async with running(tmp_path) as endpoint:
        answer = await replay(
            endpoint, {**row, "body": row["body"].replace("a" * 64, true.hexdigest())}
        )
        assert answer.status == 200, await answer.text()
