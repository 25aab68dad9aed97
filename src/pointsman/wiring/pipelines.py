"""Settings become the pipeline: what understands statements, decides about them and stores them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pointsman.config import Settings
from pointsman.domain.clock import Clock
from pointsman.domain.errors import Bug
from pointsman.domain.records import LeftOut, Receipt, Submission
from pointsman.sources.pipeline import Pipeline
from pointsman.sources.players.cmi5.satisfied import SatisfiedTracker
from pointsman.sources.players.launch_cache import LaunchCache
from pointsman.sources.refused_learners import RefusedLearners
from pointsman.store.base import IngestStore, Store
from pointsman.wiring.adapters import adapters
from pointsman.wiring.mapping import identity, mapping


def pipeline(
    settings: Settings,
    store: Store,
    clock: Clock,
    on_receipts: Callable[[Sequence[Submission], Sequence[Receipt]], None] = lambda *_: None,
    launches: LaunchCache | None = None,
    tracker: SatisfiedTracker | None = None,
    on_left_out: Callable[[str, str, LeftOut], None] = lambda *_: None,
    on_clock_off: Callable[[str, str, float], None] = lambda *_: None,
    watch: Callable[[IngestStore], IngestStore] = lambda store: store,
    refused: RefusedLearners | None = None,
    on_name: Callable[[str], None] = lambda _name: None,
) -> Pipeline:
    """`launches` are looked up in the store where they are not given.

    `tracker` stands before the store, and passes on what it takes; `watch` before both.
    """
    if launches is None and settings.launches is not None:
        launches = LaunchCache(store, clock)
    return Pipeline(
        watch(tracker or store),
        mapping(settings),
        settings.http,
        clock,
        on_receipts,
        settings.platform.origin,
        launches=launches,
        adapters=adapters(settings.sources, store.statement_ids),
        ids=store.statement_ids,
        on_batch=tracker.note if tracker is not None else lambda _batch: None,
        on_left_out=on_left_out,
        on_clock_off=on_clock_off,
        refused=refused,
        on_name=on_name,
    )


def refused_learners(
    settings: Settings,
    store: Store,
    clock: Clock,
    on_refused: Callable[[str], None] = lambda _source: None,
) -> RefusedLearners:
    """Whose input is not taken; it has to be read before it knows anybody."""
    return RefusedLearners(store, identity(settings).resolve, clock, on_refused)


class _NoStore:
    """For statements that are looked at, and not stored; it knows no launches."""

    async def ingest(self, submissions: Sequence[Submission]) -> list[Receipt]:
        raise Bug(f"{len(submissions)} submissions were to be stored where nothing is")


def pipeline_without_store(settings: Settings, clock: Clock) -> Pipeline:
    """For deciding about statements by the rules alone."""
    return Pipeline(
        _NoStore(),
        mapping(settings),
        settings.http,
        clock,
        lambda *_: None,
        settings.platform.origin,
    )
