"""A real Prometheus beside a running daemon: every panel has data, and every alert has series."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import itertools
import json
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

import yaml
from aiokafka import AIOKafkaProducer

from demo.broker import Broker
from demo.processes import PATIENCE
from tests.support.dashboards import queries, selectors
from tests.support.http_endpoint import basic
from tests.support.launch_client import Launching, launching
from tests.support.prometheus import Prometheus, scraping
from tests.support.promtool import MIXIN, RULES, run

ANA = "ana@example.com"
_CONTENT = "https://content.example.com"
_PROGRESS = "https://w3id.org/xapi/cmi5/result/extensions/progress"
_SOURCES = """
[[sources.kafka]]
name = "log"
bootstrap_servers = ["{servers}"]
topics = ["{topic}"]
group_id = "{topic}"
[[sources.scorm_cloud]]
name = "scorm"
username = "pbuser"
password = "pbpass"
[[sources.webhooks]]
name = "lms"
secret = "hunter2"
signature = {{ header = "X-Signature" }}
learner = "data.user"
activity = "https://content.example.com/{{data.topic}}"
completed = "data.state"
completed_values = ["done"]
[[confirmations]]
name = "ti"
secret = "hunter2"
[confirmations.feed]
poll_seconds = 1
[[rules]]
activity = "https://content.example.com/{{topic}}"
topic_id = "{{topic}}"
falls = "always"
"""


async def test_every_panel_has_data_and_every_alert_has_series_from_the_start(
    tmp_path: Path, broker: Broker, topic: str
) -> None:
    sources = _SOURCES.format(servers=broker.bootstrap, topic=topic)
    async with launching(tmp_path, sources, tokens='file = "tokens.json"') as world:
        target = world.url.removeprefix("http://")
        async with scraping(tmp_path, target, "learning") as prometheus:
            await every_metric_has_series(prometheus)
            first = await counters(prometheus)
            async with load(world, broker, topic):
                await every_panel_has_data(prometheus)
                await rules_are_well(prometheus)
                await statements_are_linked(prometheus)
            assert await counters(prometheus) == first, "born by an event, which alerts miss"
            await the_page_is_to_the_conventions(world)


async def every_metric_has_series(prometheus: Prometheus) -> None:
    """Before anything was sent. A lag is known once Kafka has assigned partitions."""
    alerts = [rule["expr"] for rule in rules()]
    exprs = [*alerts, *(query.asked() for query in queries())]
    asked = sorted({selector for expr in exprs for selector in selectors(expr)})
    assert len(asked) > 40

    async def has_series(selector: str) -> bool:
        return bool(await prometheus.values(selector))

    await all_come(asked, has_series)


async def counters(prometheus: Prometheus) -> set[str]:
    """The series of what is counted, but for requests that only read."""
    found = await prometheus.api("series", **{"match[]": '{__name__=~"pointsman_.*_total"}'})
    return {str(sorted(one.items())) for one in found if one.get("method") != "GET"}


async def every_panel_has_data(prometheus: Prometheus) -> None:
    async def has_data(expr: str) -> bool:
        return any(math.isfinite(one) for one in await prometheus.values(expr))

    await all_come([query.asked(window="10s") for query in queries()], has_data)


async def rules_are_well(prometheus: Prometheus) -> None:
    """What fires is what the load does: a bad signature, refused and unknown statements."""
    expected = {
        "PointsmanCallbackUnauthorized",
        "PointsmanStatementsRefused",
        "PointsmanUnmatched",
    }

    async def fires(alert: str) -> bool:
        return alert in {one["labels"]["alertname"] for one in await firing(prometheus)}

    await all_come(expected, fires)
    assert {one["labels"]["alertname"] for one in await firing(prometheus)} == expected
    groups = (await prometheus.api("rules"))["groups"]
    assert {rule["health"] for group in groups for rule in group["rules"]} == {"ok"}


async def firing(prometheus: Prometheus) -> list[dict[str, Any]]:
    alerts = (await prometheus.api("alerts"))["alerts"]
    return [one for one in alerts if one["state"] == "firing"]


async def statements_are_linked(prometheus: Prometheus) -> None:
    """Exemplars come with OpenMetrics only, so it took that."""
    now = time.time()
    for metric in (
        "pointsman_inputs_total",
        "pointsman_arrival_to_platform_seconds_bucket",
        "pointsman_completion_delivery_seconds_bucket",
    ):
        series = await prometheus.api(
            "query_exemplars", query=metric, start=str(now - 300), end=str(now)
        )
        found = [one["labels"] for each in series for one in each["exemplars"]]
        assert found, metric
        assert all(labels.keys() == {"statement_id"} for labels in found)


async def the_page_is_to_the_conventions(world: Launching) -> None:
    async with world.run.session.get(f"{world.url}/metrics") as answer:
        text = await answer.read()
    done = await asyncio.to_thread(run, "check", "metrics", text=text)

    assert (done.returncode, done.stdout + done.stderr) == (0, b"")


async def all_come(wanted: Iterable[str], comes: Callable[[str], Awaitable[bool]]) -> None:
    """Ask until each was there once; what never was is what the test says."""
    missing = list(wanted)
    deadline = time.monotonic() + PATIENCE
    while True:
        missing = [one for one in missing if not await comes(one)]
        if not missing:
            return
        assert time.monotonic() < deadline, "without data:\n" + "\n".join(missing)
        await asyncio.sleep(0.5)


@contextlib.asynccontextmanager
async def load(world: Launching, broker: Broker, topic: str) -> AsyncIterator[None]:
    """Traffic of every kind until the block ends."""
    async with AIOKafkaProducer(bootstrap_servers=broker.bootstrap) as producer:
        sending = asyncio.create_task(_send(world, producer, topic))
        try:
            yield
        finally:
            sending.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await sending


async def _send(world: Launching, producer: AIOKafkaProducer, topic: str) -> None:
    launch = await world.launch(activity=f"{_CONTENT}/topic_demo_2")
    for count in itertools.count():
        progress = 100 if count % 2 else 40
        for number in (1, 2):
            await world.run.say(
                "progressed",
                f"{_CONTENT}/topic_demo_{number}",
                ANA,
                result={"extensions": {_PROGRESS: progress}},
            )
        await world.run.say("completed", "https://elsewhere.example.com/unknown", ANA)
        assert (await world.say(launch, "experienced", launch["activity"]))[0] == 200
        assert (await world.say(launch, "experienced", "https://not.its.own/"))[0] == 403
        await _refused(world)
        await _webhooks(world, count)
        said = {
            "actor": {"mbox": f"mailto:{ANA}"},
            "verb": {"id": "http://adlnet.gov/expapi/verbs/experienced"},
            "object": {"id": f"{_CONTENT}/topic_demo_1"},
        }
        await producer.send_and_wait(topic, json.dumps(said).encode())
        await asyncio.sleep(0.2)


async def _refused(world: Launching) -> None:
    headers = {"Authorization": basic("user:secret"), "X-Experience-API-Version": "1.0.3"}
    async with world.run.session.post(
        f"{world.url}/xapi/statements", headers=headers, json={"actor": {}}
    ) as answer:
        assert answer.status == 400


async def _webhooks(world: Launching, count: int) -> None:
    said: dict[str, Any] = {"user": ANA, "topic": "topic_demo_1", "state": "done", "count": count}
    body = json.dumps({"data": said}).encode()
    good = hmac.new(b"hunter2", body, "sha256").hexdigest()
    for signature, status in ((good, 204), ("0" * 64, 401)):
        async with world.run.session.post(
            f"{world.url}/webhooks/lms", data=body, headers={"X-Signature": signature}
        ) as answer:
            assert answer.status == status, await answer.text()


def rules() -> list[dict[str, Any]]:
    groups = [one for name in RULES for one in yaml.safe_load((MIXIN / name).read_text())["groups"]]
    return [rule for group in groups for rule in group["rules"]]
