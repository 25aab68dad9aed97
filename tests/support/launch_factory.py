"""Launches made up for tests of decisions."""

from __future__ import annotations

from typing import Any

from pointsman.domain.launch import Launch, PlayerKind
from pointsman.domain.records import Actor

REGISTRATION = "0f0b1c1e-7a54-4c0c-8f2e-5a4f9b2a1c11"
ACTIVITY = "https://content.example.com/intro"
ANA = Actor("mbox", "mailto:ana@example.com")


def launch(**more: Any) -> Launch:
    made: dict[str, Any] = {
        "registration": REGISTRATION,
        "kind": PlayerKind.XAPI,
        "learner": "ana@example.com",
        "actor": ANA,
        "name": "Ana",
        "activity": ACTIVITY,
        "opened_at": 1_000_000_000_000_000,
        "expires_at": 1_000_003_600_000_000,
    }
    return Launch(**{**made, **more})
