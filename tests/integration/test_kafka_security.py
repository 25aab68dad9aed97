"""SASL and TLS against Apache Kafka itself, from the settings of a file to statements stored."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from aiokafka import AIOKafkaProducer
from structlog.testing import capture_logs

from demo.apache_kafka import Unavailable
from demo.processes import PATIENCE
from demo.traffic import make_topic
from pointsman.commands.doctor.brokers import ClusterUse, examine_cluster
from pointsman.config import load
from pointsman.doctor import Finding, Level
from pointsman.doctor.broker import READ, judge_broker
from pointsman.domain.clock import SystemClock
from pointsman.sources.kafka.settings import KafkaSourceSettings
from pointsman.sources.kafka.source import KafkaSource
from tests.support.kafka_source import Memory, until
from tests.support.secure_broker import PASSWORD, USER, SecureBroker, secure_broker

_CONFIG = """
[platform]
url = "http://127.0.0.1:9"
api_key = "key"
[learners.tokens]
inline = {{}}
[[sources.kafka]]
name = "secure"
bootstrap_servers = ["{server}"]
topics = ["{topic}"]
group_id = "{topic}"
[sources.kafka.security]
protocol = "{protocol}"
{how}
"""
_SASL = 'sasl_mechanism = "{mechanism}"\nusername = "{user}"\npassword_file = "{password}"'
_CA = 'ca_file = "ca.pem"'
_CLIENT = 'cert_file = "client.pem"\nkey_file = "client.pem"'


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureBroker]:
    try:
        with secure_broker(tmp_path_factory.mktemp("secure")) as started:
            yield started
    except Unavailable as reason:
        pytest.skip(f"needs java and mvn, because only Apache Kafka has all of this: {reason}")


def settings(broker: SecureBroker, topic: str, protocol: str, how: str) -> KafkaSourceSettings:
    (broker.folder / "password").write_text(PASSWORD + "\n")
    (broker.folder / "wrong").write_text("guessed\n")
    config = broker.folder / f"{uuid.uuid4().hex}.toml"
    server = broker.server(protocol)
    config.write_text(_CONFIG.format(server=server, topic=topic, protocol=protocol, how=how))
    (source,) = load(config).sources.kafka
    return source


def sasl(mechanism: str, *, user: str = USER, password: str = "password") -> str:  # noqa: S107
    return _SASL.format(mechanism=mechanism, user=user, password=password)


async def a_topic(broker: SecureBroker) -> str:
    topic = f"secure-{uuid.uuid4().hex}"
    await make_topic(broker.plain.bootstrap, topic, 1)
    async with AIOKafkaProducer(bootstrap_servers=broker.plain.bootstrap) as producer:
        await producer.send_and_wait(topic, b"a statement")
    return topic


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
@pytest.mark.parametrize("protocol", ["SASL_PLAINTEXT", "SASL_SSL"])
async def test_a_password_opens_the_topic(
    broker: SecureBroker, protocol: str, mechanism: str
) -> None:
    how = sasl(mechanism) + (f"\n{_CA}" if protocol == "SASL_SSL" else "")
    await reads(settings(broker, await a_topic(broker), protocol, how))


async def test_a_certificate_of_our_own_opens_the_topic(broker: SecureBroker) -> None:
    await reads(settings(broker, await a_topic(broker), "SSL", f"{_CA}\n{_CLIENT}"))


async def reads(made: KafkaSourceSettings) -> None:
    memory = Memory()
    source = KafkaSource(made, memory, memory.claim, SystemClock())
    task = asyncio.create_task(source.run())
    await until(lambda: memory.bodies == [b"a statement"])
    await source.stop()
    await asyncio.wait_for(task, PATIENCE)


@pytest.mark.parametrize(
    ("protocol", "how", "words"),
    [
        ("SASL_PLAINTEXT", sasl("PLAIN", password="wrong"), "Invalid username or password"),
        ("SASL_PLAINTEXT", sasl("SCRAM-SHA-512", password="wrong"), "invalid credentials"),
        ("SASL_SSL", f"{sasl('SCRAM-SHA-256', user='nobody')}\n{_CA}", "invalid credentials"),
        ("SASL_SSL", f"{sasl('PLAIN')}\nca_file = 'other-ca.pem'", "CERTIFICATE_VERIFY_FAILED"),
        ("SSL", _CA, ""),
        ("SSL", f"{_CA}\ncert_file = 'stranger.pem'\nkey_file = 'stranger.pem'", ""),
    ],
)
async def test_whoever_is_not_let_in_says_why_goes_on_trying_and_shows_no_secret(
    broker: SecureBroker,
    protocol: str,
    how: str,
    words: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    memory = Memory()
    source = KafkaSource(
        settings(broker, await a_topic(broker), protocol, how), memory, memory.claim, SystemClock()
    )
    with capture_logs() as logs:
        task = asyncio.create_task(source.run())
        await until(lambda: sum("interrupted" in one["event"] for one in logs) > 1)
        await source.stop()
        await asyncio.wait_for(task, PATIENCE)
    told = [one for one in logs if "interrupted" in one["event"]]
    assert all("KafkaConnectionError" in one["error"] for one in told), told
    assert all("sources.kafka.security" in one["next"] for one in told), told
    assert words in caplog.text  # the client's own words, which go to our log too
    assert memory.bodies == []
    assert not any(secret in str(logs) + caplog.text for secret in (PASSWORD, "guessed"))


@pytest.mark.parametrize(
    ("verb", "operation", "kind", "problem", "next_step"),
    [
        ("deny", "Describe", "topic", "refuse this user the topic", "DESCRIBE and READ"),
        ("allow", "Describe", "topic", "TopicAuthorizationFailedError", "sources.kafka.topics"),
        ("allow", "Describe", "group", "GroupAuthorizationFailedError", "sources.kafka.group_id"),
    ],
)
async def test_a_right_that_is_missing_is_named_with_what_to_allow(
    broker: SecureBroker,
    verb: Literal["allow", "deny"],
    operation: str,
    kind: str,
    problem: str,
    next_step: str,
) -> None:
    topic = await a_topic(broker)
    # the group has the topic's name
    await asyncio.to_thread(broker.add_acl, verb, operation, kind, topic)
    memory = Memory()
    section = settings(broker, topic, "SASL_PLAINTEXT", sasl("PLAIN"))
    # and the doctor names it too
    use = ClusterUse("sources.kafka", section, section.topics, READ, section.group_id)
    findings = list(judge_broker(await examine_cluster(use)))
    failed = [row for row in findings if isinstance(row, Finding) and row.level is Level.FAIL]
    assert [(row.check, f"--{kind} {topic}" in row.cure) for row in failed] == [(kind, True)]
    source = KafkaSource(section, memory, memory.claim, SystemClock())
    with capture_logs() as logs:
        task = asyncio.create_task(source.run())
        await until(lambda: problem in source.problem)
        await until(lambda: sum(problem in str(one) for one in logs) >= 3)
        assert problem in source.problem  # it stays, whatever works in between
        await source.stop()
        await asyncio.wait_for(task, PATIENCE)
    assert memory.bodies == []
    told = [one["event"] for one in logs if one["log_level"] == "info"]
    assert len(told) == len(set(told)), told  # what is no warning is not repeated
    steps = [one["next"] for one in logs if problem in f"{one.get('problem')} {one.get('error')}"]
    assert steps
    assert all(next_step in step for step in steps)


def test_files_that_are_not_there_are_named(broker: SecureBroker, tmp_path: Path) -> None:
    assert (broker.folder / "ca.pem").exists()
    with pytest.raises(Exception, match=r"ca_file.*missing\.pem can't be read"):
        settings(broker, "t", "SSL", f'ca_file = "{tmp_path}/missing.pem"')


async def test_a_password_that_is_changed_is_used_for_new_connections(
    broker: SecureBroker,
) -> None:
    file = broker.folder / "changing"
    file.write_text("guessed\n")
    how = sasl("SCRAM-SHA-256", password="changing")
    made = settings(broker, await a_topic(broker), "SASL_PLAINTEXT", how)
    memory = Memory()
    source = KafkaSource(made, memory, memory.claim, SystemClock())
    with capture_logs() as logs:
        task = asyncio.create_task(source.run())
        await until(lambda: any("interrupted" in one["event"] for one in logs))
        file.write_text(PASSWORD)
        await until(lambda: memory.bodies == [b"a statement"])
        # a session that runs is begun anew, so that its connections have the password of now
        joined = sum("interrupted" in one["event"] for one in logs)
        file.write_text("guessed again")
        await until(lambda: sum("interrupted" in one["event"] for one in logs) > joined)
        await source.stop()
        await asyncio.wait_for(task, PATIENCE)
