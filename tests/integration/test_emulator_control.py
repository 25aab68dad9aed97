"""A running emulator: its faults over HTTP and from the command line, and what outlives it."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from demo.processes import free_port, start

KEY = "the-key"
PROGRESS = 'mutation { UpdateTopicAndCourseProgress(topicId: "topic_demo_1", progress: 62) }'


class Process:
    """`pointsman emulate`, as a process of its own."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        self.options = options
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._begin()

    def _begin(self) -> None:
        arguments = ["emulate", "--port", str(self.port), "--api-key", KEY, *self.options]
        self.process = start(arguments, self.folder / "log", f"{self.url}/emulator/state")

    def kill_and_restart(self) -> None:
        self.end()
        self._begin()

    def end(self) -> None:
        self.process.kill()
        self.process.wait()

    def http(
        self, method: str, path: str, body: object = None, *, key: str = KEY, token: str = ""
    ) -> tuple[int, Any]:
        request = urllib.request.Request(  # noqa: S310 - our own loopback
            f"{self.url}{path}?apiKey={key}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", **({"authToken": token} if token else {})},
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    def ask(self, query: str, token: str = "") -> tuple[int, Any]:
        return self.http("POST", "/helium", {"query": query}, token=token)

    def log_in(self, who: str = "ana@example.com") -> str:
        _, payload = self.ask(f'mutation {{ Login(email: "{who}", password: "demo") }}')
        token: str = payload["data"]["Login"]
        return token

    def faults(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "pointsman", "faults", *arguments, "--url", self.url],
            capture_output=True,
            text=True,
            check=False,
            env={"POINTSMAN_EMULATOR_KEY": KEY, "PATH": ""},
        )


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[Process]:
    process = Process(tmp_path, "--data", str(tmp_path / "platform.db"))
    yield process
    process.end()


def test_faults_are_controlled_over_http_with_the_key(emulator: Process) -> None:
    fault = {"kind": "server_error", "status": 502, "times": 1}
    assert emulator.http("POST", "/emulator/faults", fault) == (201, {"id": "f1"})
    assert emulator.ask("{ __typename }")[0] == 502
    assert emulator.ask("{ __typename }")[0] == 200
    _, shown = emulator.http("GET", "/emulator/faults")
    assert shown["active"]["f1"] == {**fault, "struck": 1}
    assert emulator.http("DELETE", "/emulator/faults/f1")[0] == 200
    assert emulator.http("DELETE", "/emulator/faults/f1")[0] == 404
    assert emulator.http("DELETE", "/emulator/faults")[0] == 200
    for method, path in (
        ("GET", "/emulator/faults"),
        ("POST", "/emulator/faults"),
        ("DELETE", "/emulator/faults"),
        ("DELETE", "/emulator/faults/f1"),
        ("POST", "/emulator/tokens/expire"),
        ("POST", "/emulator/reset"),
    ):
        assert emulator.http(method, path, key="wrong")[0] == 401


@pytest.mark.parametrize(
    ("body", "words"),
    [({"kind": "throttle", "chance": 3}, "chance"), ({"kind": "flood"}, "flood"), ([], "valid")],
)
def test_a_fault_that_makes_no_sense_is_400_with_a_reason(
    emulator: Process, body: object, words: str
) -> None:
    status, payload = emulator.http("POST", "/emulator/faults", body)
    assert status == 400
    assert words in payload["errors"][0]["message"]


def test_a_dropped_connection_is_dropped(emulator: Process) -> None:
    emulator.http("POST", "/emulator/faults", {"kind": "drop_after", "times": 1})
    with pytest.raises((ConnectionError, urllib.error.URLError)):
        emulator.ask("{ __typename }")
    assert emulator.ask("{ __typename }")[0] == 200


def test_what_was_answered_survives_a_kill(emulator: Process) -> None:
    token = emulator.log_in()
    assert emulator.ask(PROGRESS, token)[1] == {"data": {"UpdateTopicAndCourseProgress": True}}
    create = 'mutation { CreateLearningPath(name: "Mine", milestones: [{name: "M"}]) { slug } }'
    assert emulator.ask(create)[1] == {"data": {"CreateLearningPath": {"slug": "mine"}}}
    before = emulator.http("GET", "/emulator/state")[1]
    emulator.kill_and_restart()
    after = emulator.http("GET", "/emulator/state")[1]
    assert after["learners"] == before["learners"]
    assert after["totals"] == before["totals"]
    assert emulator.ask(PROGRESS, token)[0] == 200
    assert emulator.ask('{ LearningPathBySlug(slug: "mine") { name } }')[1] == {
        "data": {"LearningPathBySlug": {"name": "Mine"}}
    }
    assert token not in (emulator.folder / "platform.db").read_bytes().decode("latin-1")
    assert emulator.http("POST", "/emulator/tokens/expire")[1] == {"expired": 1}
    emulator.kill_and_restart()
    assert "UNAUTHENTICATED" in json.dumps(emulator.ask(PROGRESS, token)[1])
    emulator.http("POST", "/emulator/reset")
    emulator.kill_and_restart()
    learners = emulator.http("GET", "/emulator/state")[1]["learners"]
    assert learners["ana@example.com"] == {"topics": {}, "courses": {}}


def test_faults_are_controlled_from_the_command_line(emulator: Process) -> None:
    assert emulator.faults("add", "kind=throttle,times=1,retry_after=9").stdout == "f1\n"
    assert emulator.ask("{ __typename }")[0] == 429
    listed = json.loads(emulator.faults("list", "--json").stdout)
    assert listed["struck"] == {"throttle": 1}
    assert "retry_after=9" in emulator.faults("list").stdout
    assert emulator.faults("clear", "f1").stdout == "cleared\n"
    gone = emulator.faults("clear", "f1")
    assert (gone.returncode, gone.stderr) == (1, "there is no fault 'f1'\n")
    wrong = emulator.faults("add", "kind=throttle,chance=5")
    assert wrong.returncode == 1
    assert "chance" in wrong.stderr
    token = emulator.log_in()
    assert emulator.faults("expire-tokens").stdout == "1 tokens expired\n"
    assert "UNAUTHENTICATED" in json.dumps(emulator.ask(PROGRESS, token)[1])


def test_faults_are_given_at_the_start_and_mistakes_in_them_end_it(tmp_path: Path) -> None:
    process = Process(tmp_path, "--fault", "kind=server_error,status=599", "--seed", "1")
    try:
        assert process.ask("{ __typename }")[0] == 599
    finally:
        process.end()
    ended = subprocess.run(
        [
            sys.executable,
            *("-m", "pointsman", "emulate", "--api-key", KEY, "--port", "0"),
            *("--fault", "kind=throttle,chance=x"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2
    assert ended.stderr.startswith("--fault 'kind=throttle,chance=x': chance: ")
