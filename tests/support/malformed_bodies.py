"""Bodies that a POST of statements must refuse with 400: (name, body, words of the reason)."""

from __future__ import annotations

import json
from typing import Any

GOOD: dict[str, Any] = {
    "actor": {"mbox": "mailto:ana@example.com"},
    "verb": {"id": "http://adlnet.gov/expapi/verbs/completed"},
    "object": {"id": "http://example.com/course/1"},
}


def _with(**changes: Any) -> bytes:
    return json.dumps({**GOOD, **changes}).encode()


def _without(key: str) -> bytes:
    return json.dumps({name: value for name, value in GOOD.items() if name != key}).encode()


def _actor(**actor: Any) -> bytes:
    return _with(actor=actor)


def _object(**found: Any) -> bytes:
    return _with(object=found)


def _definition(**definition: Any) -> bytes:
    return _object(id="http://example.com/a", definition=definition)


def _context(**context: Any) -> bytes:
    return _with(context=context)


_SUB = {"objectType": "SubStatement", **GOOD}
_DEEP = b'{"a":' * 200 + b"1" + b"}" * 200
_TWICE = [{**GOOD, "id": "11111111-1111-4111-8111-111111111111"}] * 2
_FILE = {
    "usageType": "http://example.com/usage",
    "display": {"en": "a file"},
    "contentType": "text/plain",
    "length": 3,
    "sha2": "a" * 64,
}

MALFORMED: list[tuple[str, bytes, str]] = [
    ("empty body", b"", "not JSON"),
    ("truncated", b'{"actor": {"mbox": "mailto:', "not JSON"),
    ("not JSON at all", b"hello", "not JSON"),
    ("not UTF-8", b'{"actor": "\xff\xfe"}', "not JSON"),
    ("NUL byte", b'{"actor"\x00: 1}', "not JSON"),
    ("lone surrogate", b'{"a": "\\ud800"}', "not JSON"),
    ("NaN", b'{"result": NaN}', "not JSON"),
    ("trailing comma", b'{"actor": 1,}', "not JSON"),
    ("two documents", b"{} {}", "not JSON"),
    (
        "a property twice",
        json.dumps(GOOD).encode()[:-1] + b', "verb": {"id": "http://a"}}',
        "twice",
    ),
    (
        "a property twice, deep inside",
        _with(result={"extensions": {"http://a": {"b": 1, "c": 2}}}).replace(b'"c"', b'"b"'),
        "twice",
    ),
    (
        "a property twice, spelt otherwise",
        _with(result={"extensions": {"http://a": {"b": "\\\\", "c": 2}}}).replace(
            b'"c"', b'"\\u0062"'
        ),
        "twice",
    ),
    ("a number", b"1", "must be a statement"),
    ("a string", b'"statement"', "must be a statement"),
    ("null", b"null", "must be a statement"),
    ("an array in an array", b"[[]]", "must be an object"),
    ("null in an array", b"[null]", "statement 0"),
    ("too deep", _with(context={"extensions": {"http://e.com/x": json.loads(_DEEP)}}), "deeper"),
    ("far too deep", b"[" * 100_000 + b"]" * 100_000, "not JSON"),
    ("too many", json.dumps([GOOD] * 1001).encode(), "at most 1000"),
    ("second of two is bad", json.dumps([GOOD, {**GOOD, "verb": 1}]).encode(), "statement 1"),
    ("an id twice in a batch", json.dumps(_TWICE).encode(), "twice"),
    ("empty object", b"{}", "actor is required"),
    ("no actor", _without("actor"), "actor is required"),
    ("no verb", _without("verb"), "verb is required"),
    ("no object", _without("object"), "object is required"),
    ("unknown property", _with(foo=1), "foo"),
    ("misspelled case", _with(Actor={}), "Actor"),
    ("actor null", _with(actor=None), "null"),
    ("actor a string", _with(actor="ana"), "actor"),
    ("actor without identifier", _actor(name="Ana"), "exactly one"),
    ("actor with two identifiers", _actor(mbox="mailto:a@b.c", openid="http://a"), "exactly one"),
    ("mbox without mailto", _actor(mbox="ana@example.com"), "actor.mbox"),
    ("mbox without address", _actor(mbox="mailto:ana"), "actor.mbox"),
    ("mbox with newline", _actor(mbox="mailto:ana@example.com\n"), "actor.mbox"),
    ("mbox a number", _actor(mbox=1), "actor.mbox must be a string"),
    ("sha1 too short", _actor(mbox_sha1sum="abc"), "SHA-1"),
    ("openid no IRI", _actor(openid="ana"), "absolute IRI"),
    ("account without name", _actor(account={"homePage": "http://a"}), "account.name"),
    ("account without home page", _actor(account={"name": "ana"}), "account.homePage"),
    ("account home page no IRI", _actor(account={"homePage": "x", "name": "a"}), "homePage"),
    ("account with extra", _actor(account={"homePage": "http://a", "name": "a", "x": 1}), "x"),
    ("agent with members", _actor(mbox="mailto:a@b.c", member=[]), "member"),
    ("unknown objectType", _actor(objectType="Robot", mbox="mailto:a@b.c"), "objectType"),
    ("anonymous group without members", _actor(objectType="Group"), "exactly one"),
    (
        "group in a group",
        _actor(objectType="Group", member=[{"objectType": "Group", "mbox": "mailto:a@b.c"}]),
        "member[0]",
    ),
    ("name a number", _actor(mbox="mailto:a@b.c", name=1), "actor.name"),
    ("verb without id", _with(verb={}), "verb.id is required"),
    ("verb id no IRI", _with(verb={"id": "completed"}), "absolute IRI"),
    ("verb id with spaces", _with(verb={"id": "http://a b"}), "absolute IRI"),
    ("verb id null", _with(verb={"id": None}), "verb.id must not be null"),
    ("display a string", _with(verb={"id": "http://a", "display": "x"}), "verb.display"),
    ("display bad tag", _with(verb={"id": "http://a", "display": {"e n": "x"}}), "language tag"),
    ("display value a number", _with(verb={"id": "http://a", "display": {"en": 1}}), "display.en"),
    ("object without id", _object(), "object.id is required"),
    ("object id no IRI", _object(id="course/1"), "absolute IRI"),
    ("object unknown type", _object(objectType="Thing", id="http://a"), "objectType"),
    ("object with extra", _object(id="http://a", foo=1), "object.foo"),
    ("reference without id", _object(objectType="StatementRef"), "object.id"),
    ("reference no UUID", _object(objectType="StatementRef", id="1"), "UUID"),
    ("sub-statement with id", _with(object={**_SUB, "id": "x"}), "object.id"),
    ("sub-statement with stored", _with(object={**_SUB, "stored": "x"}), "object.stored"),
    ("sub-statement in one", _with(object={**_SUB, "object": _SUB}), "object.object"),
    ("definition type no IRI", _definition(type="course"), "absolute IRI"),
    ("moreInfo no IRI", _definition(moreInfo="here"), "moreInfo"),
    ("choices without type", _definition(choices=[]), "choices"),
    ("scale of a choice", _definition(interactionType="choice", scale=[]), "scale"),
    ("unknown interaction", _definition(interactionType="dance"), "definition"),
    (
        "choice ids twice",
        _definition(interactionType="choice", choices=[{"id": "a"}, {"id": "a"}]),
        "twice",
    ),
    (
        "voiding an activity",
        _with(verb={"id": "http://adlnet.gov/expapi/verbs/voided"}),
        "StatementRef",
    ),
    ("id no UUID", _with(id="1"), "id must be a UUID"),
    ("id a number", _with(id=1), "id must be a string"),
    ("score above 1", _with(result={"score": {"scaled": 1.1}}), "at most 1"),
    ("score below -1", _with(result={"score": {"scaled": -1.1}}), "at least -1"),
    ("score a string", _with(result={"score": {"scaled": "1"}}), "must be a number"),
    ("score min above max", _with(result={"score": {"min": 2, "max": 1}}), "less than max"),
    ("score raw above max", _with(result={"score": {"raw": 2, "max": 1}}), "more than max"),
    ("success a string", _with(result={"success": "true"}), "true or false"),
    ("completion a number", _with(result={"completion": 1}), "true or false"),
    ("completion null", _with(result={"completion": None}), "null"),
    ("duration no ISO 8601", _with(result={"duration": "5 minutes"}), "duration"),
    ("duration without a part", _with(result={"duration": "PT"}), "duration"),
    ("extension key no IRI", _with(result={"extensions": {"progress": 1}}), "absolute IRI"),
    ("extensions an array", _with(result={"extensions": []}), "must be an object"),
    ("timestamp words", _with(timestamp="yesterday"), "ISO 8601"),
    ("timestamp a date only", _with(timestamp="2026-01-01"), "ISO 8601"),
    ("timestamp offset -00:00", _with(timestamp="2026-01-01T00:00:00-00:00"), "-00:00"),
    ("timestamp 30 February", _with(timestamp="2026-02-30T00:00:00Z"), "exist"),
    ("timestamp with newline", _with(timestamp="2026-01-01T00:00:00Z\n"), "ISO 8601"),
    ("timestamp a number", _with(timestamp=1), "timestamp must be a string"),
    ("stored no time", _with(stored="now"), "stored"),
    ("version 3", _with(version="3.0.0"), "version"),
    ("registration no UUID", _context(registration="x"), "registration must be a UUID"),
    ("team an agent", _context(team={"mbox": "mailto:a@b.c"}), "context.team"),
    ("language no tag", _context(language="not a language"), "language tag"),
    ("unknown context activities", _context(contextActivities={"child": []}), "child"),
    ("parent no IRI", _context(contextActivities={"parent": {"id": "x"}}), "parent.id"),
    ("statement no reference", _context(statement={"id": "x"}), "context.statement"),
    (
        "platform without an activity",
        _with(object={"objectType": "Agent", "mbox": "mailto:a@b.c"}, context={"platform": "x"}),
        "context.platform",
    ),
    ("authority a string", _with(authority="me"), "authority"),
    (
        "authority of three",
        _with(authority={"objectType": "Group", "member": [{"mbox": "mailto:a@b.c"}] * 3}),
        "authority",
    ),
    ("attachment without data", _with(attachments=[_FILE]), "fileUrl"),
    ("attachment without hash", _with(attachments=[{**_FILE, "sha2": "x"}]), "sha2"),
    ("attachments an object", _with(attachments=_FILE), "must be an array"),
]
