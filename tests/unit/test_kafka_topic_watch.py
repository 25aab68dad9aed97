"""What a source knows of its topics, and what it says of those that can't be read."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError, KafkaError
from structlog.testing import capture_logs

from pointsman.sources.kafka import topic_logs
from pointsman.sources.kafka.hooks import KafkaHooks
from pointsman.sources.kafka.metadata_request import NO_ID, TopicIdsRequest
from pointsman.sources.kafka.problems import SourceProblems
from pointsman.sources.kafka.settings import KafkaSourceSettings
from pointsman.sources.kafka.topic_logs import TopicLog, TopicLogs
from pointsman.sources.kafka.topic_watch import TopicWatch
from tests.support.manual_clock import ManualClock

SETTINGS = KafkaSourceSettings(
    name="events", bootstrap_servers=("b:9092",), topics=("there", "missing")
)
ID = bytes(range(16))


class Client:
    """A connection to a cluster that has ids of topics or not, or is away."""

    def __init__(self, *, ids: bool = True, nodes: int | None = 1) -> None:
        self.ids = ids
        self.nodes = nodes
        self.closed = False

    async def bootstrap(self) -> None: ...

    async def close(self) -> None:
        self.closed = True

    def get_random_node(self) -> int | None:
        return self.nodes

    async def send(self, _node: int, request: Any) -> Any:
        if isinstance(request, TopicIdsRequest):
            if not self.ids:
                raise NotImplementedError
            topics: list[tuple[Any, ...]] = [
                (0, "there", ID, False, [1, 2], -1, {}),
                (3, "missing", NO_ID, False, [], -1, {}),
            ]
        else:
            topics = [(0, "there", False, [1, 2]), (3, "missing", False, [])]
        return SimpleNamespace(cluster_id="C", topics=topics)


def connect(monkeypatch: pytest.MonkeyPatch, *clients: Client) -> None:
    left = list(clients)
    monkeypatch.setattr(topic_logs, "new_client", lambda _cluster, _name: left.pop(0))


@pytest.mark.parametrize(("ids", "log"), [(True, "C/AAECAwQFBgcICQoLDA0ODw"), (False, "C/")])
async def test_a_topic_is_known_by_its_id_where_the_brokers_have_ids(
    monkeypatch: pytest.MonkeyPatch, ids: bool, log: str
) -> None:
    connect(monkeypatch, Client(ids=ids))
    assert await TopicLogs(SETTINGS).read(SETTINGS.topics) == {
        "there": TopicLog(log, 2),
        "missing": TopicLog("", 0, "UnknownTopicOrPartitionError"),
    }


async def test_after_a_failure_it_connects_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    broken, good = Client(nodes=None), Client()
    connect(monkeypatch, broken, good)
    logs = TopicLogs(SETTINGS)
    with pytest.raises(KafkaConnectionError):
        await logs.read(SETTINGS.topics)
    assert broken.closed
    assert (await logs.read(SETTINGS.topics))["there"].partitions == 2


class Looks:
    """A watch whose looks have these results, with what it told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *results: Any) -> None:
        self.told: list[Mapping[str, str]] = []
        self.problems = SourceProblems("events", KafkaHooks(on_problems=self.told.append))
        self.clock = ManualClock()
        self.watch = TopicWatch(SETTINGS, self.clock, self.problems)
        left = list(results)

        async def read(_self: TopicLogs, _topics: Any) -> dict[str, TopicLog]:
            if not left:
                raise asyncio.CancelledError
            result = left.pop(0)
            if isinstance(result, Exception):
                raise result
            return {"there": TopicLog("C/1", 1), "missing": result}

        monkeypatch.setattr(TopicLogs, "read", read)

    async def run(self) -> None:
        with pytest.raises(asyncio.CancelledError):
            await self.watch.run()


MISSING = TopicLog("", 0, "UnknownTopicOrPartitionError")
HERE = TopicLog("C/2", 1)
PROBLEM = {"topic missing": "the topic does not exist"}


async def test_a_missing_topic_is_told_once_until_it_is_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks = Looks(monkeypatch, MISSING, MISSING, MISSING, HERE)
    with capture_logs() as logs:
        await looks.run()
    assert looks.told == [PROBLEM, {}]
    assert [entry["log_level"] for entry in logs] == ["warning", "warning", "warning", "info"]
    assert {entry["part"] for entry in logs} == {"topic missing"}


@pytest.mark.parametrize(
    ("error", "readable"),
    [
        ("UnknownTopicOrPartitionError", False),
        ("TopicAuthorizationFailedError", False),
        ("InvalidTopicError", False),
        ("LeaderNotAvailableError", True),
        ("UnknownError", True),
        ("", True),
    ],
)
async def test_only_what_waiting_does_not_pass_is_left_out_of_the_subscription(
    monkeypatch: pytest.MonkeyPatch, error: str, readable: bool
) -> None:
    looks = Looks(monkeypatch, TopicLog("", 0, error) if error else HERE)
    await looks.watch.look()
    assert ("missing" in looks.watch.readable) is readable
    assert "there" in looks.watch.readable


@pytest.mark.parametrize(
    "error", [KafkaConnectionError("away"), KafkaError("odd"), OSError("no"), ValueError("ours")]
)
async def test_whatever_a_look_ends_with_the_watch_goes_on(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    looks = Looks(monkeypatch, error, error, HERE)
    with capture_logs() as logs:
        await looks.run()
    assert [set(problems) for problems in looks.told] == [{"brokers"}, set()]
    told = next(entry for entry in logs if entry.get("part") == "brokers")
    assert "b:9092" in told["next"]
    assert looks.problems.text == ""


async def test_all_problems_are_in_the_text(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = Looks(monkeypatch, MISSING, KafkaConnectionError("away"))
    await looks.run()
    assert looks.problems.text == (
        "brokers: no answer about the topics: KafkaConnectionError: KafkaConnectionError: away; "
        "topic missing: the topic does not exist"
    )
