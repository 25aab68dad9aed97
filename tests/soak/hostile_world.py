"""The daemon that is attacked: its configuration, its platform, and launches of its learners."""

from __future__ import annotations

import base64
import contextlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from demo.children import Child
from demo.processes import free_port, pointsman
from pointsman.domain.targets import Value
from pointsman.platforms.tokens.vault import new_key
from tests.soak.hostile_crowd import MARK
from tests.support.daemon_fleet import KEY, login, write_catalogue
from tests.support.random_traffic import Key

#: learners who play, of whom the LMS reports, and who attack
PLAYERS, REPORTED, ATTACKERS = 20, 4, 3
#: bytes of documents, and of statements, that one attacker may fill
QUOTA = 2_000_000
_CONTENT = "https://content.example.com/topics/"

_CONFIG = """
[http]
host = "127.0.0.1"
port = {port}
drain_delay_seconds = 0
[http.operator]
port = {operator}
[store]
url = "sqlite:///pointsman.db"
[platform]
url = "{platform}"
api_key = "{key}"
[platform.limits]
requests_per_minute = 6000
[delivery]
progress_interval_seconds = 2
[audit]
enabled = false
[learners.tokens]
launches = true
encryption_key = "{encryption}"
[launches]
public_url = "http://127.0.0.1:{port}"
operators = [{{ key = "page", secret = "{page}" }}]
signing_key = "{signing}"
[launches.limits]
registration_bytes = {quota}
learner_bytes = {quota}
statement_bytes = {quota}
learner_statement_bytes = {quota}
[[sources.http]]
name = "lms-xapi"
credentials = [{{ key = "lms", secret = "{lms}" }}]
[[sources.webhooks]]
name = "lms"
secret = "{webhook}"
signature = {{ header = "X-Signature", prefix = "sha256=" }}
learner = "user"
activity = "{content}{{topic}}"
progress = "percent"
id = "event"
[[sources.scorm_cloud]]
name = "cloud"
username = "cloud"
password = "{cloud}"
[[rules]]
activity = "{content}{{topic}}"
topic_id = "{{topic}}"
"""


@dataclass
class World:
    """A daemon that is attacked, and what is known of its honest players."""

    folder: Path
    platform: str
    port: int
    operator: int
    secrets: dict[str, str]
    daemon: Child
    sent: int = 0
    slowest: float = 0.0
    wrong: list[str] = field(default_factory=list)
    expected: dict[Key, Value] = field(default_factory=dict)
    peak: float = 0.0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.folder / "daemon.log"

    def stored(self) -> int:
        """Bytes of the database and its log."""
        return sum(path.stat().st_size for path in self.folder.glob("pointsman.db*"))

    def note(self, what: str) -> None:
        if len(self.wrong) < 50:
            self.wrong.append(what)


@contextlib.contextmanager
def world_under_attack(folder: Path) -> Iterator[World]:
    emulator, port, operator = free_port(), free_port(), free_port()
    platform = f"http://127.0.0.1:{emulator}"
    learners = PLAYERS + REPORTED + ATTACKERS
    write_catalogue(folder / "catalogue.toml", learners)
    made = {
        name: secrets.token_urlsafe(24) for name in ("page", "signing", "lms", "webhook", "cloud")
    }
    config = folder / "pointsman.toml"
    config.write_text(
        _CONFIG.format(
            **made,
            port=port,
            operator=operator,
            platform=f"{platform}/helium",
            key=KEY,
            encryption=new_key(),
            content=_CONTENT,
            quota=QUOTA,
        )
    )
    emulate = ("emulate", "--port", str(emulator), "--api-key", KEY)
    options = ("--catalogue", str(folder / "catalogue.toml"), "--requests-per-minute", "6000")
    with (
        pointsman([*emulate, *options], folder / "emulator.log", f"{platform}/emulator/state"),
        pointsman(
            ["run", "--config", str(config)],
            folder / "daemon.log",
            f"http://127.0.0.1:{operator}/readyz",
        ) as daemon,
    ):
        known = {**made, "what the crowd tried": MARK}
        yield World(folder, platform, port, operator, known, daemon)


async def open_launch(world: World, session: aiohttp.ClientSession, number: int) -> dict[str, Any]:
    learner = learner_name(number)
    token = await login(session, world.platform, learner)
    assert token is not None
    world.secrets[f"the authToken of {learner}"] = token
    pair = base64.b64encode(f"page:{world.secrets['page']}".encode()).decode()
    activity = f"{_CONTENT}{topic_of(number)}"
    async with session.post(
        f"http://127.0.0.1:{world.operator}/launches",
        json={"learner": learner, "activity": activity, "authToken": token},
        headers={"Authorization": f"Basic {pair}"},
    ) as answer:
        assert answer.status == 201, await answer.text()
        launch: dict[str, Any] = await answer.json()
    world.secrets[f"the credential of {learner}"] = launch["authorization"].partition(" ")[2]
    return {**launch, "activity": activity}


def learner_name(number: int) -> str:
    return f"l{number}@example.com"


def topic_of(number: int) -> str:
    return f"t{number % 3}"
