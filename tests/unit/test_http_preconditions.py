"""An ETag that a proxy has changed on its way is the document's; another document's is not."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.sources.http.lrs.preconditions import Refusal, refusal
from pointsman.sources.http.lrs.resources import Resource
from pointsman.store.base import Document

SHA1 = hashlib.sha1(b"{}", usedforsecurity=False).hexdigest()
OLD = Document("application/json", b"{}", SHA1, 1)


def put(**headers: str) -> Refusal | None:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return refusal(Resource.AGENT_PROFILE, "PUT", "1.0.3", sent, OLD)


@pytest.mark.parametrize(
    "tag",
    [
        f'"{SHA1}"',
        SHA1,
        f'W/"{SHA1}"',
        f'w/"{SHA1}"',
        f"W/{SHA1}",
        f'"{SHA1}-gzip"',
        f'"{SHA1}--gzip"',
        f'"{SHA1};gzip"',
        f'"{SHA1}-br"',
        f'"{SHA1}-zstd"',
        f'W/"{SHA1}-gzip"',
        f"{SHA1}-gzip",
        f'"other", "{SHA1}-gzip"',
        "*",
        '"*"',
    ],
)
def test_the_documents_etag_is_known_again(tag: str) -> None:
    assert put(If_Match=tag) is None
    refused = put(If_None_Match=tag)
    assert refused is not None
    assert refused.status == 412


@pytest.mark.parametrize(
    "tag", ["", '""', '"other"', f'"{SHA1[:-1]}"', f'"x{SHA1}"', f'"{SHA1}-other"', '"-gzip"', "W/"]
)
def test_another_is_not(tag: str) -> None:
    refused = put(If_Match=tag)
    assert refused is not None
    assert refused.status == 412
    assert put(If_None_Match=tag) is None


@given(st.text(max_size=60).filter(lambda text: SHA1 not in text and "*" not in text))
def test_no_other_text_is_the_documents_etag(text: str) -> None:
    assert put(If_Match=text) is not None
