"""From a postback or a webhook to what the platform's API then says."""

from __future__ import annotations

import asyncio
import hmac
import json
import re
import sys
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Any

import pytest

from tests.support.http_endpoint import basic
from tests.support.postbacks import MULTI_SCO, form, sco
from tests.support.running_daemon import Running, running
from tests.support.tools import need

ANA = "ana@example.com"
SOURCES = """
[[sources.scorm_cloud]]
name = "scorm"
username = "pbuser"
password = "pbpass"
[[sources.webhooks]]
name = "lms"
secret = "hunter2"
signature = { header = "X-Signature" }
learner = "data.user"
activity = "https://lms.example.com/{data.course}/{data.topic}"
completed = "data.state"
completed_values = ["done"]
[[rules]]
name = "whole courses"
activity = "https://cloud.scorm.com/{course}"
course_id = "{course}"
course_completed = "completed"
[[rules]]
name = "SCOs"
activity = "https://cloud.scorm.com/{course}/{sco}"
topic_id = "{sco}"
[[rules]]
name = "the LMS's"
activity = "https://lms.example.com/{course}/{topic}"
topic_id = "{topic}"
"""


async def pages(world: Running) -> list[dict[str, Any]]:
    data = await world.ask(
        '{ PagesCompletedByCourse(courseId: "course_demo") { ... on PageEntity { id } } }', ANA
    )
    found: list[dict[str, Any]] = data["PagesCompletedByCourse"]
    return found


def postback(completion: str) -> dict[str, Any]:
    topic = sco("topic_demo_1", "COMPLETED")
    return {
        **MULTI_SCO,
        "registrationCompletion": completion,
        "course": {"id": "course_demo"},
        "activityDetails": {"id": "ORG", "children": [topic, sco("topic_demo_2", "UNKNOWN")]},
    }


async def test_a_sco_that_is_completed_completes_its_topic(tmp_path: Path) -> None:
    async with running(tmp_path, SOURCES) as world:
        async with world.session.post(
            f"{world.url}/scorm-cloud/postback",
            data=form(postback("INCOMPLETE")),
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        ) as answer:
            assert answer.status == 204
        await world.until(lambda: len(world.ran) == 2)
        assert world.ran == [
            ("UpdateCourseStatus", {"id": "course_demo", "status": "started"} | dated(world)),
            ("UpdateTopicAndCourseProgress", {"topicId": "topic_demo_1", "progress": 100}),
        ]
        assert await pages(world) == [{"id": "topic_demo_1"}]


def dated(world: Running) -> dict[str, Any]:
    """The date that a status was sent with: that of the postback."""
    assert world.ran[0][1]["statusChangeDate"] == "2025-10-06T11:00:00Z"
    return {"statusChangeDate": "2025-10-06T11:00:00Z"}


async def test_a_registration_that_is_completed_completes_its_course(tmp_path: Path) -> None:
    async with running(tmp_path, SOURCES) as world:
        async with world.session.post(
            f"{world.url}/scorm-cloud/postback",
            json=postback("COMPLETED"),
            headers={"Authorization": basic("pbuser:pbpass")},
        ) as answer:
            assert answer.status == 204
        await world.until(lambda: len(world.ran) == 2)
        data = await world.ask('{ UserCourseProgress(id: "course_demo") { percentComplete } }', ANA)
        assert data == {"UserCourseProgress": {"percentComplete": 100}}


async def test_a_webhook_completes_its_topic_and_no_secret_is_logged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with running(tmp_path, SOURCES) as world:
        said = {"user": ANA, "course": "course_demo", "topic": "topic_demo_1", "state": "done"}
        body = json.dumps({"data": said}).encode()
        signature = hmac.new(b"hunter2", body, "sha256").hexdigest()
        for signed, status in ((signature, 204), ("0" * 64, 401)):
            async with world.session.post(
                f"{world.url}/webhooks/lms", data=body, headers={"X-Signature": signed}
            ) as answer:
                assert answer.status == status
        async with world.session.post(
            f"{world.url}/scorm-cloud/postback",
            data=b"<xml/>",
            headers={"Authorization": basic("pbuser:pbpass")},
        ) as answer:
            assert answer.status == 204
        await world.until(lambda: bool(world.ran))
        assert await pages(world) == [{"id": "topic_demo_1"}]
        async with world.session.get(f"{world.url}/metrics") as answer:
            metrics = await answer.text()
        assert 'pointsman_inputs_total{result="dead",source="scorm"} 1.0' in metrics
        assert 'pointsman_inputs_total{result="applied",source="lms"} 1.0' in metrics
    logged = "".join(capsys.readouterr())
    assert "hunter2" not in logged
    assert "pbpass" not in logged
    assert signature not in logged


PAGES = Path(__file__).parents[2] / "docs" / "players"


def blocks(page: str, language: str) -> list[str]:
    """What a page of the documentation shows."""
    text = (PAGES / page).read_text()
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


async def run(folder: Path, command: list[str]) -> str:
    process = await asyncio.create_subprocess_exec(*command, cwd=folder, stdout=PIPE)
    said, _ = await process.communicate()
    assert process.returncode == 0
    return said.decode()


async def test_the_examples_of_the_documentation_do_what_it_says(tmp_path: Path) -> None:
    signed_body, standard, *_other_senders = blocks("webhook.md", "toml")
    (postbacks, _) = blocks("scorm-cloud.md", "toml")
    (tmp_path / "secrets").mkdir()
    for name in ("lms_webhook", "scorm_cloud_password"):
        (tmp_path / "secrets" / name).write_text(f"the-{name}\n")
    (tmp_path / "secrets" / "standard").write_text("whsec_dGhlLXNlY3JldA==\n")
    async with running(tmp_path, f"{standard}\n{postbacks}\n{signed_body}") as world:

        def here(text: str) -> str:
            return text.replace("https://pointsman.example.com", world.url)

        need("bash", "curl", "openssl")
        (curl,) = blocks("webhook.md", "sh")
        assert (await run(tmp_path, ["bash", "-c", here(curl)])).startswith("HTTP/1.1 204")
        (python,) = blocks("webhook.md", "python")
        assert await run(tmp_path, [sys.executable, "-c", here(python)]) == "204\n"
        (curls,) = blocks("scorm-cloud.md", "sh")
        assert (await run(tmp_path, ["bash", "-c", here(curls)])).count("HTTP/1.1 204") == 2
        await world.until(lambda: len(world.ran) == 2)
        assert sorted(arguments["progress"] for _, arguments in world.ran) == [40, 100]
        async with world.session.get(f"{world.url}/metrics") as answer:
            metrics = await answer.text()
        assert 'pointsman_inputs_total{result="duplicate",source="scorm-cloud"} 1.0' in metrics
