"""Requests that must be refused, drawn at random: every kind of bad input, at every resource."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from hypothesis import strategies as st

from tests.support.http_endpoint import (
    ACTIVITY_PROFILE,
    AGENT_PROFILE,
    STATE,
    STATEMENTS,
    headers,
)
from tests.support.xapi_factory import (
    ANA,
    LESSON,
    MULTIPART,
    attachment,
    data_part,
    multipart,
    statement,
)

_AGENT = json.dumps(ANA)
_STATE = {"activityId": LESSON, "agent": _AGENT, "stateId": "s"}
_READS = {
    STATEMENTS: {},
    STATE: _STATE,
    ACTIVITY_PROFILE: {"activityId": LESSON, "profileId": "p"},
    AGENT_PROFILE: {"agent": _AGENT, "profileId": "p"},
    "/xapi/activities": {"activityId": LESSON},
    "/xapi/agents": {"agent": _AGENT},
}


@dataclass(frozen=True)
class Bad:
    """One request; `status` are the answers that it may get."""

    method: str
    path: str
    query: str = ""
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    status: frozenset[int] = frozenset({400})

    def __repr__(self) -> str:
        body = (self.body or b"")[:2_000]
        return f"Bad({self.method} {self.path}?{self.query} {self.headers} {body!r} {self.status})"


def _good() -> dict[str, Any]:
    return statement(
        result={"score": {"scaled": 0.5}, "success": True, "duration": "PT1M"},
        context={
            "registration": "0f0b1c1e-7a54-4c0c-8f2e-5a4f9b2a1c11",
            "contextActivities": {"parent": [{"id": LESSON}]},
        },
        timestamp="2026-01-01T00:00:00Z",
    )


def _paths(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    if isinstance(value, dict):
        return [path, *(one for key, child in value.items() for one in _paths(child, (*path, key)))]
    if isinstance(value, list):
        return [path, *(one for n, child in enumerate(value) for one in _paths(child, (*path, n)))]
    return [path]


def _replaced(path: tuple[str | int, ...], new: Any) -> Any:
    made = json.loads(json.dumps(_good()))
    if not path:
        return new
    inner = made
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = new
    return made


_BODY = json.dumps(_good()).encode()
_PHOTO = b"\x89PNG\r\n\x00"
_MULTI = multipart(statement(attachments=[attachment(_PHOTO)]), data_part(_PHOTO))
#: no property of a statement may be any of these
_WRONG: tuple[Any, ...] = (None, "", "\x00", [[]], {"a": 1}, -0.5e300, [None], "\x7f <>")
_words = st.text(st.characters(codec="utf-8"), max_size=12)
_header_words = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=20)


def _post(body: bytes, kind: str = "application/json", *status: int) -> Bad:
    said = headers() | ({"Content-Type": kind} if kind else {})
    return Bad("POST", STATEMENTS, "", body, said, frozenset(status or (400,)))


_cut = st.integers(0, len(_BODY) - 1).map(lambda end: _post(_BODY[:end]))
_nul = st.integers(1, len(_BODY) - 1).map(lambda at: _post(_BODY[:at] + b"\0" + _BODY[at:]))
_noise = st.binary(max_size=40).map(lambda noise: _post(b"\xff" + noise))
_deep = st.integers(65, 3_000).map(
    lambda depth: _post(
        _BODY[:-1] + b', "x": ' + b"[" * depth + b"]" * depth + b"}"  # known nowhere, and too deep
    )
)
_wrong_types = st.builds(
    lambda path, new: _post(json.dumps(_replaced(path, new)).encode()),
    st.sampled_from([path for path in _paths(_good()) if path != ("result", "success")]),
    st.sampled_from(_WRONG),
)
_unknown = st.builds(
    lambda path, name: _post(json.dumps(_replaced((*path, f"_{name}"), 1)).encode()),
    st.sampled_from([("actor",), ("verb",), ("result",), ("result", "score"), ("context",), ()]),
    _words,
)
_twice = st.sampled_from(["id", "actor", "verb", "object", "result"]).map(
    lambda name: _post(_BODY[:-1] + f', "{name}": {json.dumps(_good()[name])}}}'.encode())
)
_surrogates = st.integers(0xD800, 0xDFFF).map(
    lambda code: _post(_BODY.replace(b"mailto:ana", b"mailto:\\u%04x" % code))
)
_cut_parts = st.integers(0, len(_MULTI) - 5).map(lambda end: _post(_MULTI[:end], MULTIPART))
_bad_parts = st.builds(
    lambda at, noise: _post(_MULTI[:at] + noise + _MULTI[at:], MULTIPART),
    # in the data of the attachment, whose hash then is another
    st.just(_MULTI.index(_PHOTO) + 3),
    st.binary(min_size=1, max_size=20).filter(lambda noise: noise != b""),
)
_bad_kind = st.builds(lambda kind: _post(_BODY, f"x-{kind}/y"), _header_words)
_bad_authorization = st.builds(
    lambda path, scheme, rest: Bad(
        "GET",
        path,
        urlencode(_READS[path]),
        None,
        headers() | {"Authorization": f"{scheme} {rest}".strip()},
        frozenset({401}),
    ),
    st.sampled_from(sorted(_READS)),
    st.sampled_from(["Basic", "Bearer", "Digest", ""]),
    _header_words,
)
_bad_version = st.builds(
    lambda path, version: Bad("GET", path, urlencode(_READS[path]), None, headers(f"x{version}")),
    st.sampled_from(sorted(_READS)),
    _header_words,
)
_unknown_parameter = st.builds(
    lambda path, name, value: Bad(
        "GET", path, urlencode({**_READS[path], f"_{name}": value}), None, headers()
    ),
    st.sampled_from(sorted(_READS)),
    _words,
    _words,
)
_bad_value = st.builds(
    lambda name, value: Bad("GET", STATEMENTS, urlencode({name: f"<{value}"}), None, headers()),
    st.sampled_from(
        [
            *("agent", "verb", "activity", "registration", "since", "until", "limit", "format"),
            *("statementId", "voidedStatementId", "attachments", "ascending", "cursor"),
            *("related_agents", "related_activities"),
        ]
    ),
    _words,
)
_bad_escape = st.builds(
    lambda path, rest: Bad("GET", path, f"agent=%{rest}", None, headers()),
    st.sampled_from(sorted(_READS)),
    st.sampled_from(["", "z", "0", "zz", "ff", "c3%28", "%"]),
)
_bad_document = st.builds(
    lambda path, body: Bad(
        "POST",
        path,
        urlencode(_READS[path]),
        b"{" + body,
        headers() | {"Content-Type": "application/json"},
    ),
    st.sampled_from([STATE, ACTIVITY_PROFILE, AGENT_PROFILE]),
    st.binary(max_size=20).filter(lambda body: not body.strip().endswith(b"}")),
)
_bad_match = st.builds(
    lambda path, method, tag: Bad(
        method,
        path,
        urlencode(_READS[path]),
        b"{}",
        headers() | {"If-Match": f'"{tag}"', "Content-Type": "application/json"},
        frozenset({412}),
    ),
    st.sampled_from([STATE, ACTIVITY_PROFILE, AGENT_PROFILE]),
    st.sampled_from(["PUT", "POST", "DELETE"]),
    _header_words,
)
_bad_form = st.builds(
    lambda method, form: Bad(
        "POST",
        STATEMENTS,
        f"method={method}",
        form,
        headers() | {"Content-Type": "application/x-www-form-urlencoded"},
        frozenset({400, 405}),
    ),
    st.sampled_from(["PUT", "POST", "DELETE", "nothing", "", "%00"]),
    st.binary(max_size=40),
)
_bad_method = st.builds(
    lambda path, method: Bad(method, path, "", None, headers(), frozenset({400, 404, 405})),
    st.sampled_from(
        ["/xapi/activities", "/xapi/agents", "/xapi/nothing", "/", "/xapi/statements/x"]
    ),
    st.sampled_from(["PUT", "DELETE", "PATCH", "PROPFIND"]),
)
_bad_path = _words.map(
    lambda words: Bad(
        "GET", "/xapi/" + quote(f"_{words}", safe=""), "", None, headers(), frozenset({404})
    )
)

bad_requests: st.SearchStrategy[Bad] = st.one_of(
    _cut,
    _nul,
    _noise,
    _deep,
    _wrong_types,
    _unknown,
    _twice,
    _surrogates,
    _cut_parts,
    _bad_parts,
    _bad_kind,
    _bad_authorization,
    _bad_version,
    _unknown_parameter,
    _bad_value,
    _bad_escape,
    _bad_document,
    _bad_match,
    _bad_form,
    _bad_method,
    _bad_path,
)


def too_big(size: int) -> Bad:
    return _post(b" " * size, "", 413)
