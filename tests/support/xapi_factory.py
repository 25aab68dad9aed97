"""Statements, and bodies with attachments, made by hand."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from typing import Any

ANA = {"mbox": "mailto:ana@example.com"}
BEN = {"account": {"homePage": "https://learn.example.com", "name": "ben"}}
LESSON = "http://example.com/course/1"
COMPLETED = "http://adlnet.gov/expapi/verbs/completed"
ATTEMPTED = "http://adlnet.gov/expapi/verbs/attempted"
VOIDED = "http://adlnet.gov/expapi/verbs/voided"


#: no statement has it: for tables, whose names must be the same in every process of a run
SOME_ID = "27a26d2e-d6b5-4299-abf8-0a00be502362"


def new_id() -> str:
    return str(uuid.uuid4())


def statement(**changes: Any) -> dict[str, Any]:
    """Ana completed a lesson."""
    made = {"id": new_id(), "actor": ANA, "verb": {"id": COMPLETED}, "object": {"id": LESSON}}
    return {name: value for name, value in {**made, **changes}.items() if value is not None}


def about(target: str, verb: str = VOIDED, **changes: Any) -> dict[str, Any]:
    """A statement about another one."""
    made = {"verb": {"id": verb}, "object": {"objectType": "StatementRef", "id": target}}
    return statement(**{**made, **changes})


def sub(**changes: Any) -> dict[str, Any]:
    inner = statement(**changes)
    del inner["id"]
    return {"objectType": "SubStatement", **inner}


def attachment(content: bytes, **changes: Any) -> dict[str, Any]:
    made = {
        "usageType": "http://example.com/usage/photo",
        "display": {"en": "a photo"},
        "contentType": "image/png",
        "length": len(content),
        "sha2": hashlib.sha256(content).hexdigest(),
    }
    return {**made, **changes}


BOUNDARY = "----boundary 1"
MULTIPART = f'multipart/mixed; boundary="{BOUNDARY}"'


def part(content: bytes, headers: Mapping[str, str]) -> bytes:
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return head.encode() + b"\r\n" + content


def data_part(content: bytes, **changes: str) -> bytes:
    headers = {
        "Content-Type": "image/png",
        "Content-Transfer-Encoding": "binary",
        "X-Experience-API-Hash": hashlib.sha256(content).hexdigest(),
    }
    more = {name.replace("_", "-"): value for name, value in changes.items()}
    return part(content, {name: value for name, value in {**headers, **more}.items() if value})


def multipart(statements: Any, *parts: bytes) -> bytes:
    """A body of multipart/mixed."""
    first = part(json.dumps(statements).encode(), {"Content-Type": "application/json"})
    return joined(first, *parts)


def joined(*parts: bytes) -> bytes:
    limit = f"--{BOUNDARY}".encode()
    return b"".join(limit + b"\r\n" + one + b"\r\n" for one in parts) + limit + b"--\r\n"
