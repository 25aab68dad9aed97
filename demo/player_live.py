"""What the demo's player page shows beside the course: received, sent, shown by the platform."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from demo.scenario import Ports

#: key and secret of who launches, and of who reads statements back
OPERATOR, WATCHER = ("page", "operator-secret"), ("watcher", "watcher-secret")
_PROGRESS = "https://w3id.org/xapi/cmi5/result/extensions/progress"
_NEWEST = 8


@dataclass(slots=True)
class LiveView:
    """Asks the daemon and the platform's emulator, each time anew."""

    session: aiohttp.ClientSession
    ports: Ports
    learner: str
    topic: str
    #: the topic's percentage that the page was told last
    told: int = 0

    async def as_json(self) -> dict[str, object]:
        """Lines for each of the three lists, and the topic's percentage."""
        state = await self._state()
        shown = state["learners"].get(self.learner, {})
        topics, courses = shown.get("topics", {}), shown.get("courses", {})
        self.told = topics.get(self.topic, 0)
        return {
            "received": [_statement(one) for one in await self._statements()],
            "sent": [
                _mutation(one) for one in reversed(state["history"]) if one["name"] != "Login"
            ][:_NEWEST],
            "shown": [
                *(f"{topic}: {percent} %" for topic, percent in topics.items()),
                *(
                    f"{slug}: {course['status']}, {course['percentComplete']} %"
                    for slug, course in courses.items()
                ),
            ],
            "percent": self.told,
        }

    async def percent(self) -> int | None:
        """What the platform shows of the topic; None before it knows of any."""
        learner = (await self._state())["learners"].get(self.learner, {})
        percent: int | None = learner.get("topics", {}).get(self.topic)
        return percent

    async def _statements(self) -> list[dict[str, Any]]:
        async with self.session.get(
            f"http://127.0.0.1:{self.ports.daemon}/xapi/statements",
            params={"limit": str(_NEWEST)},
            headers={"X-Experience-API-Version": "1.0.3"},
            auth=aiohttp.BasicAuth(*WATCHER),
        ) as answer:
            statements: list[dict[str, Any]] = (await answer.json())["statements"]
            return statements

    async def _state(self) -> dict[str, Any]:
        url = f"http://127.0.0.1:{self.ports.emulator}/emulator/state"
        async with self.session.get(url, params={"history": "1"}) as answer:
            state: dict[str, Any] = await answer.json()
            return state


def _statement(statement: Mapping[str, Any]) -> str:
    result = statement.get("result", {})
    progress = result.get("extensions", {}).get(_PROGRESS)
    verb = statement["verb"]["id"].rpartition("/")[2]
    return verb if progress is None else f"{verb}, {progress:g} %"


def _mutation(executed: Mapping[str, Any]) -> str:
    arguments = ", ".join(f"{name} {value}" for name, value in executed["arguments"].items())
    return f"{executed['name']}: {arguments}"
