"""Hands changed settings to the parts that take them on while the daemon runs.

Which settings those are is said in `config/changes.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pointsman.config import Settings
from pointsman.delivery.audit import Auditor
from pointsman.delivery.budget.base import Budget
from pointsman.delivery.dispatcher import Dispatcher
from pointsman.sources.confirmations import ConfirmationIntake, FeedReader
from pointsman.sources.http.app import HttpDeps
from pointsman.sources.pipeline import Pipeline
from pointsman.sources.refused_learners import RefusedLearners
from pointsman.store.base import Store
from pointsman.telemetry import logs
from pointsman.telemetry.metrics import Metrics
from pointsman.wiring.adapters import adapters
from pointsman.wiring.confirmations import shown_only
from pointsman.wiring.delivery import quota
from pointsman.wiring.http import HttpListener
from pointsman.wiring.mapping import identity, mapping
from pointsman.wiring.metrics import known_labels
from pointsman.wiring.platforms import PlatformClients
from pointsman.wiring.tokens import TokenSources


@dataclass(frozen=True, slots=True)
class LiveParts:
    """The parts of a running daemon that have a `reconfigure`.

    `http_deps` makes what the endpoint needs, of settings. `on_new_tokens` is told for whom there
    may be a token now.
    """

    store: Store
    metrics: Metrics
    clients: PlatformClients
    tokens: TokenSources
    budget: Budget
    dispatcher: Dispatcher
    auditor: Auditor | None
    pipeline: Pipeline
    confirmations: ConfirmationIntake
    feeds: Sequence[FeedReader]
    refused: RefusedLearners
    http: Sequence[HttpListener]
    http_deps: Callable[[Settings], HttpDeps]
    on_new_tokens: Callable[[Sequence[str]], None]

    async def reconfigure(self, settings: Settings) -> None:
        """Take these settings on, all of them.

        What can fail comes first, so that then nothing was changed. Raises `ConfigError`.
        """
        deps = self.http_deps(settings)
        apps = [listener.make_app(deps) for listener in self.http]
        mapper, names = mapping(settings), adapters(settings.sources, self.store.statement_ids)
        who = identity(settings)
        limits = quota(settings, self.clients.platform)

        logs.set_level(settings.logging)
        self.metrics.reconfigure(known_labels(settings), limits)
        self.pipeline.reconfigure(mapper, names)
        self.confirmations.reconfigure(shown_only(settings))
        for feed in self.feeds:
            feed.reconfigure(settings.platform.api_key)
        self.refused.reconfigure(who.resolve)
        self.clients.reconfigure(settings)
        self.tokens.reconfigure(settings)
        self.budget.reconfigure(limits)
        points = settings.platform.limits.points_per_request
        self.dispatcher.reconfigure(settings.delivery, points_per_request=points)
        if self.auditor is not None:
            self.auditor.reconfigure(points_per_request=points, requests_per_window=limits.requests)
        for listener, app in zip(self.http, apps, strict=True):
            await listener.server.reconfigure(app)
        if settings.learners.tokens.inline:
            self.on_new_tokens(list(settings.learners.tokens.inline))
        self.dispatcher.wake()
