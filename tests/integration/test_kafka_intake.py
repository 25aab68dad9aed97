"""HTTP into a topic, and from there into a store: two daemons, one broker."""

from __future__ import annotations

import asyncio
import io
import json
import secrets
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import aiohttp
import pytest
from aiokafka import AIOKafkaProducer

from demo.broker import Broker
from demo.processes import PATIENCE, free_port
from pointsman.app import Daemon
from pointsman.cli.operator_identity import begun
from pointsman.commands import replay_letters
from pointsman.config import load
from pointsman.domain.operator_actions import ActionKind
from pointsman.domain.records import InputOutcome
from pointsman.platforms.tokens.vault import new_key
from pointsman.sources.kafka.settings import KafkaSourceSettings
from pointsman.store.base import Store
from tests.support.cuttable_proxy import Pipe
from tests.support.daemon_fleet import HEADERS
from tests.support.http_endpoint import basic
from tests.support.kafka_source import create, delete
from tests.support.postbacks import GOLF, form

_CONFIG = """
[http]
host = "127.0.0.1"
port = {port}
drain_delay_seconds = 0
drain_seconds = 2
{http}
[store]
url = "sqlite:///{name}.db"
[platform]
url = "http://127.0.0.1:9"
api_key = "key"
[audit]
enabled = false
[learners.tokens]
inline = {{}}
{tokens}
[[sources.http]]
name = "players"
credentials = [{{ key = "user", secret = "secret" }}]
{sources}
[[rules]]
activity = "https://content.example.com/{{topic}}"
topic_id = "{{topic}}"
"""
_TO_TOPIC = """
intake = "kafka"
[http.kafka]
bootstrap_servers = ["{servers}"]
topic = "{topic}"
timeout_seconds = 3
"""
_FROM_TOPIC = """
[[sources.kafka]]
name = "relay"
bootstrap_servers = ["{servers}"]
topics = ["{topic}"]
group_id = "{topic}"
"""


def said(number: int | None = None) -> dict[str, Any]:
    made: dict[str, Any] = {
        "actor": {"mbox": "mailto:ana@example.com"},
        "verb": {"id": "http://adlnet.gov/expapi/verbs/completed"},
        "object": {"id": "https://content.example.com/t"},
    }
    return made if number is None else {"id": str(uuid.UUID(int=number)), **made}


@asynccontextmanager
async def daemon(
    folder: Path, name: str, http: str = "", sources: str = "", tokens: str = ""
) -> AsyncIterator[Any]:
    port = free_port()
    config = folder / f"{name}.toml"
    config.write_text(
        _CONFIG.format(port=port, name=name, http=http, sources=sources, tokens=tokens)
    )
    async with Daemon(load(config)) as running:
        yield running, f"http://127.0.0.1:{port}"


async def post(url: str, body: Any) -> tuple[int, Any, dict[str, str]]:
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            f"{url}/xapi/statements",
            headers={**HEADERS, "Content-Type": "application/json"},
            data=io.BytesIO(json.dumps(body).encode()),
        ) as answer,
    ):
        return answer.status, await answer.json(content_type=None), dict(answer.headers)


async def test_what_is_answered_over_http_is_stored_by_whoever_reads_the_topic(
    tmp_path: Path, broker: Broker, topic: str
) -> None:
    to_topic = _TO_TOPIC.format(servers=broker.bootstrap, topic=topic)
    from_topic = _FROM_TOPIC.format(servers=broker.bootstrap, topic=topic)
    async with (
        daemon(tmp_path, "front", http=to_topic) as (front, url),
        daemon(tmp_path, "back", sources=from_topic) as (back, _),
    ):
        status, ids, _ = await post(url, [said(), said(1)])
        assert (status, ids[1]) == (200, str(uuid.UUID(int=1)))
        status, again, _ = await post(url, said(1))  # the player did not hear the answer
        assert (status, again) == (200, [ids[1]])
        status, problem, _ = await post(url, {"verb": 1})
        assert status == 400, problem
        async with asyncio.timeout(PATIENCE):
            while await back.parts.store.statement(ids[0]) is None:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        async with asyncio.timeout(PATIENCE):
            while (books := await back.parts.store.books()).accepted < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert books.balanced
        assert (books.accepted, books.outcomes[InputOutcome.APPLIED]) == (2, 1)
        assert (await front.parts.store.books()).accepted == 0


async def test_without_the_broker_it_is_503_and_with_it_again_200(
    tmp_path: Path, broker: Broker, topic: str
) -> None:
    host, _, port = broker.bootstrap.rpartition(":")
    async with Pipe(host, int(port)) as pipe:
        pipe.cut()
        to_topic = _TO_TOPIC.format(servers=f"127.0.0.1:{pipe.port}", topic=topic)
        async with daemon(tmp_path, "front", http=to_topic) as (running, url):
            status, problem, headers = await post(url, said(1))
            assert (status, "Retry-After" in headers) == (503, True)
            assert "http.kafka" in str(problem)
            assert (await running.ready()).reason
            pipe.mend()
            async with asyncio.timeout(PATIENCE):
                while (await running.ready()).reason:  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
            assert (await post(url, said(1)))[0] == 200


async def test_more_than_the_broker_takes_in_a_message_is_refused_in_clear_words(
    tmp_path: Path, broker: Broker, topic: str
) -> None:
    to_topic = _TO_TOPIC.format(servers=broker.bootstrap, topic=topic)
    async with daemon(tmp_path, "front", http=to_topic) as (_, url):
        noise = secrets.token_hex(1_500_000)  # it can't be compressed much
        large = {**said(1), "context": {"extensions": {"https://x.example.com/x": noise}}}
        status, problem, _ = await post(url, large)
        assert status in {400, 413}
        assert "max.message.bytes" in str(problem)
        assert (await post(url, said(2)))[0] == 200


_SCORM = """
[[sources.scorm_cloud]]
name = "scorm"
username = "pbuser"
password = "pbpass"
"""


async def test_a_postback_goes_through_the_topic_and_what_is_none_to_the_store(
    tmp_path: Path, broker: Broker, topic: str
) -> None:
    to_topic = _TO_TOPIC.format(servers=broker.bootstrap, topic=topic)
    from_topic = _FROM_TOPIC.format(servers=broker.bootstrap, topic=topic)
    async with (
        daemon(tmp_path, "front", http=to_topic, sources=_SCORM) as (front, url),
        daemon(tmp_path, "back", sources=from_topic) as (back, _),
        aiohttp.ClientSession() as session,
    ):
        # the one that is sent again is a duplicate where it is read
        for postback in (GOLF, GOLF, "<registrationreport/>"):
            async with session.post(
                f"{url}/scorm-cloud/postback",
                data=form(postback),
                headers={"Content-Type": "application/x-www-form-urlencoded"},
            ) as answer:
                assert answer.status == 204
        async with asyncio.timeout(PATIENCE):
            while (books := await back.parts.store.books()).accepted < 1:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert (books.accepted, books.outcomes[InputOutcome.UNMATCHED]) == (1, 1)
        (letter,) = await front.parts.store.dead_letters(limit=9)
        assert (letter.source, letter.origin) == ("scorm", "POST /scorm-cloud/postback")
        assert "resultsFormat" in letter.reason


async def test_a_cmi5_session_is_satisfied_by_whoever_reads_the_topic(
    tmp_path: Path, broker: Broker, topic: str
) -> None:
    """What the LMS says is stored at once; what the player says travels through the topic."""
    sources = _FROM_TOPIC.format(servers=broker.bootstrap, topic=topic)
    launches = f"""
[launches]
public_url = "http://127.0.0.1:9"
operators = [{{ key = "operator", secret = "secret" }}]
signing_key = "{secrets.token_hex(32)}"
"""
    to_topic = _TO_TOPIC.format(servers=broker.bootstrap, topic=topic)
    key = f'encryption_key = "{new_key()}"'
    async with (
        daemon(tmp_path, "both", to_topic, sources + launches, key) as (running, url),
        aiohttp.ClientSession() as session,
    ):
        asked = {
            "learner": "ana@example.com",
            "kind": "cmi5",
            "activity": "https://content.example.com/t",
            "moveOn": "Completed",
        }
        async with session.post(
            f"{url}/launches", json=asked, headers={"Authorization": basic("operator:secret")}
        ) as answer:
            launch = await answer.json()
        address = launch["fetchUrl"].replace("http://127.0.0.1:9", url)
        async with session.post(address) as answer:
            token = (await answer.json())["auth-token"]
        category = [{"id": "https://w3id.org/xapi/cmi5/context/categories/cmi5"}]
        statement = {
            **said(),
            "actor": launch["actor"],
            "context": {"contextActivities": {"category": category}},
        }
        headers = {**HEADERS, "Authorization": f"Basic {token}"}
        async with session.post(
            f"{url}/xapi/statements", json=statement, headers=headers
        ) as answer:
            assert answer.status == 200, await answer.text()
        query = f"{url}/xapi/statements?verb=https://w3id.org/xapi/adl/verbs/satisfied"
        found: list[dict[str, Any]] = []
        async with asyncio.timeout(PATIENCE):
            while not found:
                await asyncio.sleep(0.1)  # a launch may not ask without a pause
                async with session.get(query, headers=headers) as answer:
                    found = (await answer.json())["statements"]
        assert found[0]["context"]["registration"] == launch["registration"]
        assert (await running.parts.store.books()).balanced


@pytest.mark.parametrize("required", [False, True])
async def test_readyz_names_a_topic_that_is_missing_and_is_503_where_the_source_is_required(
    tmp_path: Path, broker: Broker, required: bool
) -> None:
    missing = f"not-there-{uuid.uuid4().hex[:8]}"
    source = _FROM_TOPIC.format(servers=broker.bootstrap, topic=missing)
    source += f"required_for_readiness = {str(required).lower()}\n"
    problem = f"topic {missing}: the topic does not exist"
    async with daemon(tmp_path, "back", sources=source) as (_, url), aiohttp.ClientSession() as web:
        async with asyncio.timeout(PATIENCE):
            while True:
                async with web.get(f"{url}/readyz") as answer:
                    status, body = answer.status, await answer.text()
                if problem in body:
                    break
                await asyncio.sleep(0.05)
        assert status == (503 if required else 200)
        if not required:
            assert json.loads(body)["details"] == {"source relay": problem}
        async with web.get(f"{url}/metrics") as answer:
            page = await answer.text()
        assert 'pointsman_kafka_source_up{source="relay"} 0.0' in page
        status, _, _ = await post(url, said(1))
        assert status == 200


async def test_of_a_message_with_1500_statements_only_the_bad_ones_are_dead(
    tmp_path: Path, broker: Broker, topic: str
) -> None:
    body: list[Any] = [said(number) for number in range(1, 1_501)]
    body[7] = {"verb": 1}
    async with AIOKafkaProducer(bootstrap_servers=broker.bootstrap.split(",")) as producer:
        await producer.send_and_wait(topic, json.dumps(body).encode())
    from_topic = _FROM_TOPIC.format(servers=broker.bootstrap, topic=topic)
    async with daemon(tmp_path, "back", sources=from_topic) as (back, _):
        async with asyncio.timeout(PATIENCE):
            while (await back.parts.store.books()).accepted < 1_500:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        books = await back.parts.store.books()
        (letter,) = await back.parts.store.dead_letters(limit=9)
    assert books.balanced
    assert letter.origin.endswith("offset 0, item 7")


async def test_what_a_message_has_beyond_its_limit_is_replayed_by_the_dead_letters_command(
    tmp_path: Path, broker: Broker, topic: str
) -> None:
    body = [said(number) for number in range(1, 31)]
    async with AIOKafkaProducer(bootstrap_servers=broker.bootstrap.split(",")) as producer:
        await producer.send_and_wait(topic, json.dumps(body).encode())
    from_topic = _FROM_TOPIC.format(servers=broker.bootstrap, topic=topic) + "max_statements = 20\n"
    async with daemon(tmp_path, "back", sources=from_topic) as (back, _):
        async with asyncio.timeout(PATIENCE):
            while not (letters := await back.parts.store.dead_letters(limit=9)):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    assert [letter.origin.endswith("items 20-29") for letter in letters] == [True]
    settings = load(tmp_path / "back.toml")
    words: list[str] = []

    async def choose(_: Store) -> list[int]:
        return [letter.id for letter in letters]

    action = begun(ActionKind.DEAD_LETTERS_REPLAY, {})
    await replay_letters(settings, action, choose, lambda _, result: words.append(result))
    assert words == ["superseded"]  # all of them say the same
    async with daemon(tmp_path, "back") as (again, _):
        books = await again.parts.store.books()
        assert (books.accepted, books.balanced) == (30, True)


@pytest.mark.parametrize("reset", ["earliest", "latest"])
async def test_a_daemon_reads_a_topic_that_was_made_anew_while_it_was_stopped(
    tmp_path: Path, broker: Broker, reset: Literal["earliest", "latest"]
) -> None:
    kafka = KafkaSourceSettings(
        name="relay",
        bootstrap_servers=tuple(broker.bootstrap.split(",")),
        topics=(f"lessons-{uuid.uuid4().hex[:12]}",),
    )
    (topic,) = kafka.topics
    source = _FROM_TOPIC.format(servers=broker.bootstrap, topic=topic)
    source += f'auto_offset_reset = "{reset}"\n'
    await create(kafka, 1)
    async with daemon(tmp_path, "back", sources=source) as (first, _):
        await _settled(first, topic, 0)
        await _send(broker, topic, range(1, 6))
        await _settled(first, topic, 5)
    await delete(kafka)
    await create(kafka, 1)
    await _send(broker, topic, range(101, 109))
    async with daemon(tmp_path, "back", sources=source) as (second, _):
        await _settled(second, topic, 8)
        await _send(broker, topic, range(201, 202))
        await _settled(second, topic, 9)
        books = await second.parts.store.books()
    assert books.accepted == (5 + 8 + 1 if reset == "earliest" else 5 + 1)
    assert books.balanced


async def test_a_daemon_under_latest_reads_what_came_to_a_silent_partition_while_it_was_stopped(
    tmp_path: Path, broker: Broker, topic: str
) -> None:
    source = _FROM_TOPIC.format(servers=broker.bootstrap, topic=topic)
    source += 'auto_offset_reset = "latest"\n'
    await _send(broker, topic, range(1, 2), partition=1)
    async with daemon(tmp_path, "back", sources=source) as (first, _):
        await _settled(first, topic, 1, partition=1)
        await _send(broker, topic, range(11, 12), partition=0)
        await _settled(first, topic, 1, partition=0)
    await _send(broker, topic, range(21, 22), partition=0)
    await _send(broker, topic, range(31, 32), partition=1)
    async with daemon(tmp_path, "back", sources=source) as (second, _):
        await _settled(second, topic, 2, partition=0)
        await _settled(second, topic, 2, partition=1)
        assert (await second.parts.store.books()).accepted == 3


async def _send(broker: Broker, topic: str, numbers: range, partition: int = 0) -> None:
    async with AIOKafkaProducer(bootstrap_servers=broker.bootstrap.split(",")) as producer:
        for number in numbers:
            body = json.dumps(said(number)).encode()
            await producer.send_and_wait(topic, body, partition=partition)


async def _settled(running: Any, topic: str, offset: int, partition: int = 0) -> None:
    """Wait until the store's place of a partition is there."""
    async with asyncio.timeout(PATIENCE):
        while True:
            places = await running.parts.store.positions(topic)  # the group has the topic's name
            if any((at.partition, at.offset) == (partition, offset) for at in places):
                return
            await asyncio.sleep(0.05)
