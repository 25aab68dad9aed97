"""A running emulator: its faults and tokens over HTTP and from the command line."""

from __future__ import annotations

import hashlib
import hmac
import json
import queue
import subprocess
import sys
import threading
import urllib.error
from collections.abc import Iterator
from email.message import Message
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from demo.processes import PATIENCE, free_port
from tests.support.emulator_process import KEY, PROGRESS, Process


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    process = Process(tmp_path_factory.mktemp("emulator"))
    yield process
    process.end()


@pytest.fixture
def emulator(running: Process) -> Iterator[Process]:
    yield running
    assert running.http("DELETE", "/emulator/faults")[0] == 200
    assert running.http("POST", "/emulator/reset")[0] == 200


def topics(emulator: Process) -> object:
    _, shown = emulator.http("GET", "/emulator/state")
    return shown["learners"]["ana@example.com"]["topics"]


def test_faults_are_put_in_force_counted_and_taken_away_over_http(emulator: Process) -> None:
    fault = {"kind": "server_error", "status": 502, "times": 1}
    status, answer = emulator.http("POST", "/emulator/faults", fault)
    assert status == 201
    name = answer["id"]
    assert emulator.ask("{ __typename }")[0] == 502
    assert emulator.ask("{ __typename }")[0] == 200
    _, shown = emulator.http("GET", "/emulator/faults")
    assert shown["active"] == {name: {**fault, "struck": 1}}
    assert emulator.http("GET", "/emulator/state")[1]["faults"] == shown
    assert emulator.http("DELETE", f"/emulator/faults/{name}")[0] == 200
    assert emulator.http("DELETE", f"/emulator/faults/{name}")[0] == 404
    assert emulator.http("GET", "/emulator/faults")[1]["active"] == {}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/emulator/faults"),
        ("POST", "/emulator/faults"),
        ("DELETE", "/emulator/faults"),
        ("DELETE", "/emulator/faults/f1"),
        ("POST", "/emulator/tokens/expire"),
        ("POST", "/emulator/reset"),
        ("POST", "/emulator/admin/reset"),
        ("GET", "/emulator/webhooks"),
        ("POST", "/emulator/webhooks"),
        ("DELETE", "/emulator/webhooks/webhook_1"),
    ],
)
def test_control_wants_the_key(emulator: Process, method: str, path: str) -> None:
    assert emulator.http(method, path, key="wrong")[0] == 401


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("faults", {"kind": "throttle", "chance": 3}, "fault: chance: Input should be less"),
        ("faults", {"kind": "flood"}, "not 'flood'"),
        ("faults", {"chance": 1}, "fault: kind: must be one of latency, throttle"),
        ("faults", [], "valid dictionary"),
        ("faults", b"{", "not JSON"),
        ("tokens/expire", {"learners": "x"}, "learners: Extra inputs are not permitted"),
        ("tokens/expire", {"learner": 5}, "learner: Input should be a valid string"),
        ("tokens/expire", b"{", "Invalid JSON"),
        ("admin/reset", {"learner": "ana@example.com"}, "course: Field required"),
        ("admin/revoke", {"learner": "a", "course": "b", "topic": "c"}, "topic: Extra inputs"),
        (
            "admin/status",
            {"learner": "ana@example.com", "course": "demo-course", "status": "done"},
            "status must be one of",
        ),
        ("webhooks", {"url": "ftp://x", "secret": "s"}, "url: Value error, must begin with http"),
        ("webhooks", {"url": "http://x", "secret": ""}, "secret: String should have at least 1"),
    ],
)
def test_what_makes_no_sense_is_400_with_the_key_that_is_wrong(
    emulator: Process, path: str, body: object, words: str
) -> None:
    status, payload = emulator.http("POST", f"/emulator/{path}", body)
    assert status == 400
    assert words in payload["errors"][0]["message"]


@pytest.mark.parametrize(
    ("kind", "left"), [("drop_before", {}), ("drop_after", {"topic_demo_1": 62})]
)
def test_a_dropped_connection_gives_no_answer(emulator: Process, kind: str, left: object) -> None:
    token = emulator.log_in()
    emulator.http("POST", "/emulator/faults", {"kind": kind, "times": 1})
    with pytest.raises((ConnectionError, urllib.error.URLError)):
        emulator.ask(PROGRESS, token)
    assert topics(emulator) == left
    assert emulator.ask(PROGRESS, token)[0] == 200


def test_the_tokens_of_one_learner_or_of_all_expire_over_http(emulator: Process) -> None:
    ana, _, ben = (emulator.log_in(f"{who}@example.com") for who in ("ana", "ana", "ben"))
    path = "/emulator/tokens/expire"
    assert emulator.http("POST", path, {"learner": "Ana@example.com"}) == (200, {"expired": 2})
    assert "UNAUTHENTICATED" in json.dumps(emulator.ask(PROGRESS, ana)[1])
    assert emulator.ask(PROGRESS, ben)[1] == {"data": {"UpdateTopicAndCourseProgress": True}}
    assert emulator.http("POST", path) == (200, {"expired": 1})
    assert "UNAUTHENTICATED" in json.dumps(emulator.ask(PROGRESS, ben)[1])
    assert emulator.http("POST", path, {"learner": "nobody@example.com"})[0] == 404


def test_faults_are_controlled_from_the_command_line(emulator: Process) -> None:
    name = emulator.faults("add", "kind=throttle,times=1,retry_after=9").stdout.strip()
    assert emulator.ask("{ __typename }")[0] == 429
    listed = json.loads(emulator.faults("list", "--json").stdout)
    assert listed["active"][name]["struck"] == 1
    assert "retry_after=9" in emulator.faults("list").stdout
    assert emulator.faults("clear", name).stdout == "cleared\n"
    assert json.loads(emulator.faults("list", "--json").stdout)["active"] == {}
    token = emulator.log_in()
    expired = emulator.faults("expire-tokens", "--learner", "ana@example.com")
    assert expired.stdout == "tokens expired: 1\n"
    assert "UNAUTHENTICATED" in json.dumps(emulator.ask(PROGRESS, token)[1])


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["clear", "f999"], 1, "there is no fault 'f999'\n"),
        (["add", "kind=throttle,chance=5"], 1, "fault: chance: Input should be less"),
        (["add", "throttle"], 2, "'throttle': 'throttle' is not key=value\n"),
        (["list", "--api-key", "wrong"], 1, "the apiKey is missing or wrong\n"),
        (["expire-tokens", "--learner", "who"], 1, "there is no learner 'who'\n"),
    ],
)
def test_what_the_command_line_may_not_do_is_said_on_standard_error(
    emulator: Process, arguments: list[str], code: int, words: str
) -> None:
    ended = emulator.faults(*arguments)
    assert (ended.returncode, ended.stdout) == (code, "")
    assert ended.stderr.startswith(words)


def test_without_an_emulator_the_command_line_says_so(emulator: Process) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    ended = emulator.faults("list", url=url)
    assert (ended.returncode, ended.stdout) == (3, "")
    assert ended.stderr.startswith(f"no emulator answers at {url}: ")


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
            *("--fault", "kind=throttle,chance=x", "--fault", "kind=steal,requests=0"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2
    first, second = ended.stderr.splitlines()
    assert first.startswith("--fault 'kind=throttle,chance=x': chance: ")
    assert second == "--fault 'kind=steal,requests=0': must steal requests or points"


def test_faults_of_a_file_are_in_force_from_the_start(tmp_path: Path) -> None:
    (tmp_path / "faults.toml").write_text('[[faults]]\nkind = "server_error"\nstatus = 599\n')
    process = Process(tmp_path, "--faults", str(tmp_path / "faults.toml"))
    try:
        assert process.ask("{ __typename }")[0] == 599
    finally:
        process.end()


class Endpoint(BaseHTTPRequestHandler):
    """Takes webhooks; each is put into the server's queue as its headers and body."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        taken: queue.Queue[tuple[Message, bytes]] = self.server.taken  # type: ignore[attr-defined]  # ours
        taken.put((self.headers, body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def test_what_an_administrator_does_over_http_is_posted_and_stands_in_the_feed(
    emulator: Process,
) -> None:
    token = emulator.log_in()
    server = HTTPServer(("127.0.0.1", 0), Endpoint)
    taken: queue.Queue[tuple[Message, bytes]] = queue.Queue()
    server.taken = taken  # type: ignore[attr-defined]  # ours
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    try:
        options = {"url": f"http://127.0.0.1:{server.server_port}/x", "secret": "whsec"}
        status, answer = emulator.http("POST", "/emulator/webhooks", options)
        assert status == 201
        assert emulator.ask(PROGRESS, token)[0] == 200
        where = {"learner": "ana@example.com", "course": "demo-course"}
        assert emulator.http("POST", "/emulator/admin/reset", where) == (200, {"changed": True})
        posted = [taken.get(timeout=PATIENCE) for _ in range(2)]
    finally:
        server.shutdown()
        serving.join()
        server.server_close()
    for headers, body in posted:
        expected = hmac.new(b"whsec", body, hashlib.sha256).hexdigest()
        assert headers["X-TI-Signature"] == expected
    told = {json.loads(body)["event"] for _, body in posted}
    assert told == {"course.started", "course.progress_reset"}
    assert topics(emulator) == {}
    feed = emulator.rest("/incoming/v2/events/courseAction")
    assert {event["source"] for event in feed["events"]} == {
        "course_started",
        "course_progress_reset",
    }
    shown = emulator.http("GET", "/emulator/webhooks")[1]
    assert shown["endpoints"][answer["id"]]["attempts"] == 2
    assert "whsec" not in json.dumps(emulator.http("GET", "/emulator/state"))
    assert emulator.http("DELETE", f"/emulator/webhooks/{answer['id']}")[0] == 200
    assert emulator.http("DELETE", f"/emulator/webhooks/{answer['id']}")[0] == 404
    assert emulator.http("POST", "/emulator/admin/promote", where)[0] == 404
    nobody = {**where, "learner": "nobody"}
    assert emulator.http("POST", "/emulator/admin/reset", nobody)[0] == 404


def test_an_endpoint_of_the_command_line_that_is_none_ends_the_start(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pointsman", "emulate", "--port", str(free_port())]
    result = subprocess.run(
        [*command, "--api-key", KEY, "--webhook-url", "nowhere"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert result.returncode == 2
    assert "--webhook-url: Value error, must begin with http" in result.stderr
    assert "--webhook-secret: String should have at least 1 character" in result.stderr
