"""`pointsman emulate` as a process of its own, and what a test asks of it."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from demo.processes import PATIENCE, free_port, start

KEY = "the-key"
PROGRESS = 'mutation { UpdateTopicAndCourseProgress(topicId: "topic_demo_1", progress: 62) }'


class Process:
    """Started at once; what it prints goes to `log` in the folder."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        self.options = options
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.begin()

    def begin(self) -> None:
        arguments = ["emulate", "--port", str(self.port), "--api-key", KEY, *self.options]
        self.process = start(arguments, self.folder / "log", f"{self.url}/emulator/state")

    def kill_and_restart(self) -> None:
        self.end()
        self.begin()

    def end(self) -> None:
        self.process.kill()
        self.process.wait()

    def http(
        self, method: str, path: str, body: object = None, *, key: str = KEY, token: str = ""
    ) -> tuple[int, Any]:
        request = urllib.request.Request(  # noqa: S310 - our own loopback
            f"{self.url}{path}?apiKey={key}",
            method=method,
            data=_encoded(body),
            headers={"Content-Type": "application/json", **({"authToken": token} if token else {})},
        )
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    def rest(self, path: str) -> Any:
        """What the REST API answers to a GET, in JSON."""
        request = urllib.request.Request(  # noqa: S310 - our own loopback
            self.url + path, headers={"Authorization": f"Bearer {KEY}"}
        )
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310
            return json.loads(answer.read())

    def ask(self, query: str, token: str = "") -> tuple[int, Any]:
        return self.http("POST", "/helium", {"query": query}, token=token)

    def log_in(self, who: str = "ana@example.com") -> str:
        _, payload = self.ask(f'mutation {{ Login(email: "{who}", password: "demo") }}')
        token: str = payload["data"]["Login"]
        return token

    def faults(self, *arguments: str, url: str = "") -> subprocess.CompletedProcess[str]:
        """`pointsman faults ARGUMENTS`, with this emulator's address and key."""
        return subprocess.run(
            [sys.executable, "-m", "pointsman", "faults", *arguments, "--url", url or self.url],
            capture_output=True,
            text=True,
            check=False,
            env={"POINTSMAN_EMULATOR_KEY": KEY, "PATH": ""},
        )


def _encoded(body: object) -> bytes | None:
    """Bytes as they are, and everything else as JSON."""
    return body if isinstance(body, bytes | None) else json.dumps(body).encode()
