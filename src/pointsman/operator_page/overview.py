"""Collects the numbers of the home page, as JSON for its live part too."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pointsman.delivery.budget.base import QuotaLeft, QuotaLimits
from pointsman.domain.clock import Clock
from pointsman.domain.park_codes import ParkCode
from pointsman.domain.target_kinds import TargetKind
from pointsman.operator_page.tally import Hits, Percentiles, Tally
from pointsman.store.base import Agreement, Store
from pointsman.story.words import span_words

#: seconds for which one collection does for all who look
_FRESH = 1.0
_SPENDERS, _DRIFT = 5, 100


@dataclass(frozen=True, slots=True)
class SourceView:
    """A source of the settings; `lag` is None where there is none to say."""

    name: str
    kind: str
    problem: Callable[[], str] = str
    lag: Callable[[], int | None] = lambda: None


@dataclass(frozen=True, slots=True)
class OverviewDeps:
    """What the daemon knows beside the store."""

    sources: Sequence[SourceView]
    rules: Sequence[str]
    limits: QuotaLimits
    left: Callable[[], QuotaLeft]
    platform_trouble: Callable[[], str]
    tally: Tally


class Overview:
    """One collection a second at most. Raises what the store raises."""

    def __init__(self, store: Store, clock: Clock, deps: OverviewDeps) -> None:
        self._store = store
        self._clock = clock
        self._deps = deps
        self._collected_at = float("-inf")
        self._numbers: dict[str, Any] = {}
        #: who asks meanwhile waits for the same collection
        self._collecting = asyncio.Lock()

    def reconfigure(
        self, sources: Sequence[SourceView], rules: Sequence[str], limits: QuotaLimits
    ) -> None:
        """From now on there are these."""
        self._deps = replace(self._deps, sources=sources, rules=rules, limits=limits)

    async def numbers(self) -> Mapping[str, Any]:
        async with self._collecting:
            if self._clock.monotonic() - self._collected_at >= _FRESH:
                self._numbers = await self._collect()
                self._collected_at = self._clock.monotonic()
            return self._numbers

    async def _collect(self) -> dict[str, Any]:
        now, tally = self._clock.now(), self._deps.tally
        backlog = await self._store.backlog()
        drift = await self._store.parked(codes=[ParkCode.DRIFT], limit=_DRIFT)
        oldest = backlog.oldest_dirty
        return {
            "paused": [pause.words for pause in await self._store.pauses()],
            "platform": self._deps.platform_trouble(),
            "waiting": sum(backlog.dirty.values()),
            "oldest": "" if oldest is None else span_words(now - oldest / 1e6),
            "parked": sum(backlog.parked.values()),
            "deadLetters": backlog.dead_letters,
            "unmatched": backlog.unmatched,
            "inputs": tally.inputs_of_the_minute(),
            "delivered": tally.states_of_the_minute(),
            "kinds": [
                {
                    "kind": kind.value,
                    "waiting": backlog.dirty.get(kind, 0),
                    "parked": backlog.parked.get(kind, 0),
                }
                for kind in TargetKind
            ],
            "quota": self._quota(),
            "completions": _latency(tally.completions()),
            "freshness": _latency(tally.freshness()),
            "sources": [self._source(source, now) for source in self._deps.sources],
            "rules": [_hits(name, tally.rules.get(name), now) for name in self._deps.rules],
            "drift": len(drift),
            "agreement": _agreement(await self._store.agreement()),
        }

    def _quota(self) -> dict[str, Any]:
        limits, left = self._deps.limits, self._deps.left()
        points, requests = self._deps.tally.spent()
        return {
            "points": _window(limits.points, left.points, points),
            "requests": _window(limits.requests, left.requests, requests),
            "spenders": [
                {"learner": who, "points": spent, "requests": sent}
                for who, spent, sent in self._deps.tally.spenders(_SPENDERS)
            ],
        }

    def _source(self, source: SourceView, now: float) -> dict[str, Any]:
        seen = _hits(source.name, self._deps.tally.sources.get(source.name), now)
        return {**seen, "kind": source.kind, "problem": source.problem(), "lag": source.lag()}


def _window(limit: int, left: int, ours: int) -> dict[str, int]:
    """What of a quota is spent: by deliveries, and by reads, logins, other replicas and clients."""
    spent = max(0, limit - left)
    ours = min(ours, spent)
    return {"limit": limit, "spent": spent, "ours": ours, "others": spent - ours}


def _latency(measured: Percentiles) -> dict[str, Any]:
    def words(seconds: float | None) -> str:
        return "-" if seconds is None else f"{seconds:.1f} s"

    return {
        "count": measured.count,
        "median": words(measured.median),
        "p95": words(measured.p95),
        "slowest": words(measured.slowest),
    }


def _hits(name: str, hits: Hits | None, now: float) -> dict[str, Any]:
    last = None if hits is None else hits.last
    return {
        "name": name,
        "count": 0 if hits is None else hits.count,
        "last": "-" if last is None else f"{span_words(now - last)} ago",
    }


def _agreement(places: Sequence[Agreement]) -> dict[str, int]:
    """What was read back of all courses and paths together."""
    return {
        name: sum(getattr(place, name) for place in places)
        for name in ("agrees", "resent", "drift", "contradicted", "unreadable", "waiting")
    }
