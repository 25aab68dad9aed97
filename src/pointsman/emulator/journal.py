"""Counts the emulator's requests and keeps the mutations that ran, for tests to look at."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from typing import Any

from pointsman.emulator.dates import iso, moment

#: how many of the newest mutations are kept
HISTORY = 10_000


@dataclass(frozen=True, slots=True)
class Executed:
    """A mutation that ran. `at` is in Unix seconds; `request` counts from 1."""

    learner: str
    name: str
    #: as JSON, under the schema's argument names
    arguments: dict[str, Any]
    at: float
    request: int

    def as_json(self) -> dict[str, Any]:
        return {
            "learner": self.learner,
            "name": self.name,
            "arguments": self.arguments,
            "time": iso(moment(self.at)),
            "request": self.request,
        }


class Journal:
    """Totals, and the newest mutations in their order."""

    def __init__(self, history: int = HISTORY) -> None:
        #: requests with a good key, the refused ones included
        self.requests = 0
        #: points charged
        self.points = 0
        self.rejected_429 = 0
        self.mutations: Counter[str] = Counter()
        self.history: deque[Executed] = deque(maxlen=history)

    def record(self, executed: Executed) -> None:
        self.mutations[executed.name] += 1
        self.history.append(executed)

    def totals(self) -> dict[str, Any]:
        """All that is counted; the history is not kept."""
        return {
            "requests": self.requests,
            "points": self.points,
            "rejected_429": self.rejected_429,
            "mutations": dict(sorted(self.mutations.items())),
        }

    def load(self, totals: dict[str, Any]) -> None:
        """Go on counting from what `totals` gave."""
        self.requests = totals.get("requests", 0)
        self.points = totals.get("points", 0)
        self.rejected_429 = totals.get("rejected_429", 0)
        self.mutations = Counter(totals.get("mutations", {}))
