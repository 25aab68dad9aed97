"""Makes the operator's page of the daemon's parts, where a key opens it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from pointsman.config import Settings
from pointsman.delivery.budget.base import Budget, QuotaLimits
from pointsman.delivery.dispatcher import Dispatcher
from pointsman.domain.clock import Clock
from pointsman.operator_page.access import Access, operator_keys
from pointsman.operator_page.overview import Overview, OverviewDeps, SourceView
from pointsman.operator_page.page import OperatorPage, PageDeps
from pointsman.operator_page.tally import Tally
from pointsman.sources.base import Source
from pointsman.sources.http.authorization import LAUNCHED
from pointsman.sources.http.failed_attempts import FailedAttempts
from pointsman.store.base import Store
from pointsman.telemetry.metrics import Metrics


async def make_operator_page(
    settings: Settings,
    store: Store,
    clock: Clock,
    limits: QuotaLimits,
    budget: Budget,
    dispatcher: Dispatcher,
    tally: Tally,
    readers: Sequence[Source],
    metrics: Metrics,
    is_draining: Callable[[], bool],
) -> OperatorPage | None:
    """None without [http.operator] keys. `readers` may be started later."""
    keys = operator_keys(settings)
    if not keys:
        return None
    per_minute = settings.http.failed_attempts_per_minute
    attempts = FailedAttempts(per_minute, clock, metrics.failed_attempt)
    overview = OverviewDeps(
        sources=list(shown_sources(settings, readers, metrics)),
        rules=[rule.name for rule in settings.rules],
        limits=limits,
        left=budget.left,
        platform_trouble=lambda: dispatcher.platform_trouble,
        tally=tally,
    )
    deps = PageDeps(
        settings=settings,
        store=store,
        clock=clock,
        access=Access(keys, await store.installation_secret(), clock, attempts),
        overview=Overview(store, clock, overview),
        wake=dispatcher.wake,
        is_draining=is_draining,
    )
    return OperatorPage(deps)


def shown_sources(
    settings: Settings, readers: Sequence[Source], metrics: Metrics
) -> Iterator[SourceView]:
    """What the overview says of each source."""

    def problem(name: str) -> str:
        return next((reader.problem for reader in readers if reader.name == name), "")

    sources = settings.sources
    for kind in type(sources).model_fields:
        for source in getattr(sources, kind):
            if kind == "kafka":
                lag = partial(metrics.kafka_lag_of, source.name)
                yield SourceView(source.name, kind, partial(problem, source.name), lag)
            else:
                yield SourceView(source.name, kind)
    if settings.launches is not None:
        yield SourceView(LAUNCHED, "launched players")
