"""Turns the names in the settings into the label values that metrics begin with."""

from __future__ import annotations

from collections.abc import Iterator

from pointsman.config import Settings
from pointsman.sources.confirmations import RefusedEvent
from pointsman.sources.http.authorization import LAUNCHED
from pointsman.sources.http.connection_limits import Closed
from pointsman.sources.http.failed_attempts import Attempt
from pointsman.sources.http.lrs.resources import Resource
from pointsman.sources.http.routes import CONFIRMATION, LAUNCH, POSTBACK, SCORM_COMMIT, WEBHOOK
from pointsman.sources.kafka.hooks import ResetReason
from pointsman.sources.players.cmi5.rule_violations import RuleViolation
from pointsman.sources.settings import LaunchLimitSettings
from pointsman.telemetry.initial_series import IntakeRoute, KnownLabels


def known_labels(settings: Settings) -> KnownLabels:
    sources = settings.sources
    launched = {LAUNCHED} if settings.launches is not None else frozenset[str]()
    confirming = tuple(entry.name for entry in settings.confirmations)
    return KnownLabels(
        sources=sources.names | launched | set(confirming),
        confirming=confirming,
        refused_events=tuple(RefusedEvent) if confirming else (),
        kafka=frozenset(source.name for source in sources.kafka),
        kafka_topics=frozenset(
            (source.name, topic) for source in sources.kafka for topic in source.topics
        ),
        kafka_resets=tuple(ResetReason),
        routes=tuple(_routes(settings)),
        listeners=("http",) if settings.http.operator is None else ("http", "http.operator"),
        closings=tuple(Closed),
        attempts=tuple(Attempt),
        oddities=tuple(RuleViolation) if launched else (),
        launch_limits=tuple(LaunchLimitSettings.model_fields) if launched else (),
    )


def _routes(settings: Settings) -> Iterator[IntakeRoute]:
    """Those that inputs come by; without a good credential the source is ""."""
    sources = settings.sources
    players = tuple(source.name for source in sources.http)
    launched = (LAUNCHED,) if settings.launches is not None else ()
    if players or launched:
        for method in ("POST", "PUT"):
            yield IntakeRoute(method, Resource.STATEMENTS, ("", *players, *launched))
    if sources.webhooks:
        names = tuple(source.name for source in sources.webhooks)
        yield IntakeRoute("POST", WEBHOOK.path, ("", *names))
    if names := tuple(entry.name for entry in settings.confirmations if entry.secrets):
        yield IntakeRoute("POST", CONFIRMATION.path, ("", *names))
    if sources.scorm_cloud:
        names = tuple(source.name for source in sources.scorm_cloud)
        yield IntakeRoute("POST", POSTBACK.path, ("", *names))
    if launched:
        yield IntakeRoute("POST", SCORM_COMMIT.path, ("", *launched))
        yield IntakeRoute("POST", LAUNCH.path, ("",))
