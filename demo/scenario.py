"""What the demo plays in: learners and courses, and the files that describe them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

API_KEY = "demo-api-key"
PASSWORD = "demo"
#: what the platform signs its webhooks with
WEBHOOK_SECRET = "demo-webhook-secret"
CONFIRMATIONS = "academy"
#: the credentials that the recorded players were launched with
PLAYERS = {"user": "pass", "cmi5key": "cmi5secret"}
#: the home pages of the recorded players' accounts
HOME_PAGES = ("http://127.0.0.1", "http://example.com")
PLAYER_COURSE = "players"
PLAYER_TOPIC = "player-course-1"
HEARTBEAT_COURSE = "railway"
HEARTBEAT_TOPICS = tuple(f"railway-{name}" for name in ("signals", "points", "couplings", "brakes"))


@dataclass(frozen=True)
class Ports:
    emulator: int
    daemon: int


def learners(heartbeat_learners: int) -> list[str]:
    """Those of the recordings, and those that Kafka's heartbeats are about."""
    recorded = ["ana@example.com", "learner-1@example.com", "u1@example.com"]
    return recorded + [f"heartbeat-{number:03}@example.com" for number in range(heartbeat_learners)]


def write_catalogue(path: Path, emails: Sequence[str]) -> None:
    """The emulator's catalogue, as TOML."""
    lines: list[str] = []
    for number, email in enumerate(emails):
        lines += [
            "[[learners]]",
            f'id = "user-{number}"',
            f'email = "{email}"',
            f'password = "{PASSWORD}"',
        ]
    for slug, topics in ((PLAYER_COURSE, (PLAYER_TOPIC,)), (HEARTBEAT_COURSE, HEARTBEAT_TOPICS)):
        lines += ["[[courses]]", f'id = "course-{slug}"', f'slug = "{slug}"', f'title = "{slug}"']
        lines += ["[[courses.lessons]]", f'id = "lesson-{slug}"', f'title = "{slug}"', "topics = ["]
        lines += [f'  {{ id = "{one}", title = "{one}", type = "xApiObject" }},' for one in topics]
        lines += ["]"]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_tokens(path: Path, tokens: Mapping[str, str]) -> None:
    path.touch(mode=0o600)
    path.write_text(json.dumps(tokens), encoding="utf-8")


def write_config(path: Path, ports: Ports, bootstrap: str, topic: str) -> None:
    """The daemon's configuration; `topic` is the one that carries the heartbeats."""
    accounts = "\n".join(
        f'[[learners.accounts]]\nhome_page = "{home}"\nlearner = "{{name}}@example.com"'
        for home in HOME_PAGES
    )
    credentials = ", ".join(
        f'{{ key = "{key}", secret = "{secret}" }}' for key, secret in PLAYERS.items()
    )
    path.write_text(
        f"""
allow_weak_secrets = true
[http]
host = "127.0.0.1"
port = {ports.daemon}
drain_delay_seconds = 0

[store]
url = "sqlite:///pointsman.db"

[platform]
url = "http://127.0.0.1:{ports.emulator}/helium"
api_key = "{API_KEY}"

[delivery]
progress_interval_seconds = 2

[[sources.http]]
name = "players"
credentials = [{credentials}]
# TinCanJS passes on what its launch address has
lenient = true

[[sources.kafka]]
name = "heartbeats"
bootstrap_servers = ["{bootstrap}"]
topics = ["{topic}"]
group_id = "{topic}-group"
session_timeout_seconds = 6

[[confirmations]]
name = "{CONFIRMATIONS}"
secret = "{WEBHOOK_SECRET}"

[learners.tokens]
file = "tokens.json"

{accounts}

[[rules]]
name = "recorded course"
activity = "http://example.com/course/{{number}}"
topic_id = "player-course-{{number}}"
course_slug = "{PLAYER_COURSE}"
audit_course_id = "course-{PLAYER_COURSE}"
course_completed = "completed_or_passed"

[[rules]]
name = "railway"
activity = "https://content.example.com/{{course}}/{{topic}}"
topic_id = "{{course}}-{{topic}}"
course_slug = "{{course}}"
audit_course_id = "course-{{course}}"
""",
        encoding="utf-8",
    )
