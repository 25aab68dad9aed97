"""Traffic that names one person, Ana, in every way that there is, beside that of others."""

from __future__ import annotations

import asyncio
import hashlib
import json
from typing import Any

from pointsman.config import Settings
from pointsman.config.settings import Settings as Schema
from pointsman.domain.clock import SystemClock
from pointsman.domain.launch import Launch, PlayerKind, launch_to_json
from pointsman.domain.operator_actions import ActionKind, OperatorAction
from pointsman.domain.records import Actor, SealedToken
from pointsman.sources.pipeline import Pipeline
from pointsman.store.base import Document, DocumentKey, DocumentResource, Store
from pointsman.wiring.pipelines import pipeline
from tests.support.xapi_factory import MULTIPART, attachment, data_part, multipart

ANA = "ana@example.com"
NAME = "Ana Popescu-Ionescu"
REGISTRATION = "0f3a9c1e-6f0c-4a5e-9a43-0d6f4f1f0a01"
SHA1 = hashlib.sha1(b"mailto:ana@example.com", usedforsecurity=False).hexdigest()
SHA1_SPELLED = hashlib.sha1(b"mailto:Ana@Example.COM", usedforsecurity=False).hexdigest()
#: no byte of these may be left
TRACES = (ANA, NAME, SHA1, SHA1_SPELLED, "ana%40example.com", "launched-as-ana")
PROGRESSED = "http://adlnet.gov/expapi/verbs/progressed"
PROGRESS = "https://w3id.org/xapi/cmi5/result/extensions/progress"
ATTENDED = "http://adlnet.gov/expapi/verbs/attended"

HR = "https://hr.example.com"
SETTINGS: dict[str, Any] = {
    "store": {"url": "sqlite:///unused.db"},
    "platform": {"url": "https://learn.example.com", "api_key": "key"},
    "sources": {"http": [{"name": "http", "credentials": [{"key": "a", "secret": "b" * 40}]}]},
    "learners": {
        "tokens": {"inline": {"x@example.com": "token"}},
        "accounts": [{"home_page": HR, "learner": "{name}@example.com"}],
    },
    "rules": [
        {"activity": "http://example.com/{topic}", "topic_id": "{topic}"},
        {"activity": "http://example.com/meeting/{m}", "meeting_id": "{m}", "course_id": "c"},
    ],
}


def settings() -> Settings:
    return Schema.model_validate(SETTINGS)


def agent(**changes: Any) -> dict[str, Any]:
    return {"mbox": f"mailto:{ANA}", "name": NAME, **changes}


def statement(actor: dict[str, Any], topic: str, percent: int = 50, **more: Any) -> dict[str, Any]:
    return {
        "actor": actor,
        "verb": {"id": PROGRESSED},
        "object": {"id": f"http://example.com/{topic}"},
        "result": {"extensions": {PROGRESS: percent}},
        **more,
    }


def mailbox(name: str) -> dict[str, Any]:
    return {"mbox": f"mailto:{name}@example.com", "name": f"{name.title()} Other"}


#: statements whose actor is Ana, under each of her identifiers
OWN = {
    "mailbox": statement(agent(), "one"),
    "mailbox in another case": statement(agent(mbox="mailto:Ana@Example.COM"), "two"),
    "mailbox with an escape": statement(agent(mbox="mailto:an%61@example.com"), "three"),
    "SHA-1 of the mailbox": statement({"mbox_sha1sum": SHA1, "name": NAME}, "four"),
    "SHA-1 of another case": statement({"mbox_sha1sum": SHA1_SPELLED}, "five"),
    "account that the operator's table maps": statement(
        {"account": {"homePage": HR, "name": "ana"}, "name": NAME}, "eight"
    ),
    "account of a launch": statement(
        {"account": {"homePage": "https://player.example.org", "name": "launched-as-ana"}}, "six"
    ),
    "no rule": statement(agent(), f"nothing/{ANA}/takes/this"),
    "no effect": statement(agent(), "seven", verb={"id": "http://example.com/verbs/looked"}),
    "meeting": statement(agent(), "meeting/m1", verb={"id": ATTENDED}, result={"completion": True}),
}
#: statements of Ben that name her
NAMING = {
    "instructor": statement(mailbox("ben"), "one", context={"instructor": agent()}),
    "member of a team": statement(
        mailbox("ben"),
        "two",
        context={"team": {"objectType": "Group", "member": [agent(), mailbox("cy")]}},
    ),
    "object": {
        "actor": mailbox("ben"),
        "verb": {"id": "http://example.com/verbs/praised"},
        "object": {"objectType": "Agent", **agent()},
    },
    "actor of a sub-statement": {
        "actor": mailbox("ben"),
        "verb": {"id": "http://example.com/verbs/planned"},
        "object": {
            "objectType": "SubStatement",
            "actor": agent(),
            "verb": {"id": PROGRESSED},
            "object": {"id": "http://example.com/one"},
        },
    },
    "words": statement(
        mailbox("ben"), "three", result={"response": f"ask {ANA.upper()}, she knows"}
    ),
    "address on the web": statement(
        mailbox("ben"),
        "four",
        context={"extensions": {"http://example.com/of": "https://x.example/?m=ana%40example.com"}},
    ),
    "authority": statement(mailbox("ben"), "five", authority={"objectType": "Agent", **agent()}),
    "member of a group that acts": statement(
        {"objectType": "Group", "member": [agent(), mailbox("ben")]}, "six"
    ),
}
#: statements of others, who are not her, though it may look so
OTHERS = {
    "longer address": statement(
        {"mbox": "mailto:joana@example.com", "name": "Joana"}, "one", result={"completion": True}
    ),
    "same domain": statement(mailbox("ben"), "nine", 80),
    "account of the same name elsewhere": statement(
        {"account": {"homePage": "https://other.example.org", "name": "an"}}, "two"
    ),
}
BATCH = [
    statement(mailbox("ben"), "ten", 10),
    statement(agent(), "ten", 20),
    statement(mailbox("cy"), "ten", 30),
]


async def fill(store: Store) -> None:
    """All of it, and documents, launches, tokens and dead letters."""
    intake = pipeline(settings(), store, SystemClock())
    await _launch(store, "launched-as-ana", ANA, REGISTRATION)
    # some in a commit of their own, and others in one with what is somebody else's
    await asyncio.gather(*(post(intake, one) for one in (*OTHERS.values(), *OWN.values(), BATCH)))
    await asyncio.gather(*(post(intake, one) for one in NAMING.values()))
    await post(intake, statement(agent(), "alone"))
    content = b"a photo of her"
    photo = statement(agent(), "photo", attachments=[attachment(content)])
    request = intake.reader.request(
        "http", multipart(photo, data_part(content)), content_type=MULTIPART
    )
    await intake.accept(request)
    for reason, body in LETTERS.items():
        await intake.keep_dead_letter("http", body, reason, f"from {ANA}")
    await _documents(store)
    await store.save_sealed_tokens([SealedToken(ANA, b"sealed", 1, None)], [])
    await store.record_action(
        OperatorAction(1, ActionKind.PARKED_RETRY, "op", "host", ANA, {"learner": ANA}, f"{ANA} ok")
    )


#: what we keep of a launch and its learner
OURS: dict[DocumentResource, str] = {
    "launch_token": ANA,
    "revocation": f"learner {ANA}",
    "usage": REGISTRATION,
    "usage_of_day": f"20421 {ANA}",
}
LETTERS = {
    "a statement of hers": json.dumps({**OWN["mailbox"], "verb": {}}).encode(),
    "of several": json.dumps([BATCH[0], BATCH[1]]).encode(),
    "no JSON": f"<statement of={ANA}>".encode(),
    "somebody else's": json.dumps(mailbox("ben")).encode(),
}


async def post(intake: Pipeline, body: object) -> None:
    await intake.accept(intake.reader.request("http", json.dumps(body).encode()))


async def _launch(store: Store, account: str, learner: str, registration: str) -> None:
    launch = Launch(
        registration=registration,
        kind=PlayerKind.XAPI,
        learner=learner,
        actor=Actor("account", account, "https://player.example.org"),
        name=NAME,
        activity="http://example.com/six",
        opened_at=1,
        expires_at=2,
    )
    await put(store, DocumentKey("launch", name=registration), launch_to_json(launch))
    await put(store, DocumentKey("session", name=registration), b"[]")


async def _documents(store: Store) -> None:
    activity = "http://example.com/one"
    for agent_identity in (
        f"mbox mailto:{ANA}",
        f"mbox_sha1sum {SHA1}",
        "account https://player.example.org launched-as-ana",
    ):
        await put(store, DocumentKey("state", activity, agent_identity, "", "bookmark"), b"page 3")
    await put(store, DocumentKey("agent_profile", "", f"mbox mailto:{ANA}", "", "p"), b"{}")
    for resource, name in OURS.items():
        await put(store, DocumentKey(resource, name=name), b"sealed")
    ben = "mbox mailto:ben@example.com"
    await put(store, DocumentKey("state", activity, ben, "", "bookmark"), b"page 4")
    told = json.dumps({"teacher": f"mailto:{ANA}"}).encode()
    await put(store, DocumentKey("state", activity, ben, "", "teacher"), told)
    await put(
        store, DocumentKey("activity_profile", activity, "", "", "notes"), b"ask " + ANA.encode()
    )


async def put(store: Store, key: DocumentKey, content: bytes) -> None:
    etag = hashlib.sha1(content, usedforsecurity=False).hexdigest()
    document = Document("application/octet-stream", content, etag, 5)
    await store.change_document(key, lambda _old: (document, None))
