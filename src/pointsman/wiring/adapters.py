"""Turns [[sources.scorm_cloud]] and [[sources.webhooks]] into what takes their requests."""

from __future__ import annotations

from collections.abc import Callable

from pointsman.config.scorm_cloud import ScormCloudSettings
from pointsman.config.sources import SourceSettings
from pointsman.config.webhooks import WebhookSettings, is_template
from pointsman.domain.statement_ids import StatementIds
from pointsman.sources.http.authorization import BasicCredential
from pointsman.sources.http.scorm_cloud import ORIGIN, PostbackSource
from pointsman.sources.http.webhook_signatures import STANDARD, SignatureScheme, WebhookVerifier
from pointsman.sources.http.webhooks import WebhookSource
from pointsman.sources.pipeline import Adapt
from pointsman.statements.adapters import Path, PathTemplate, ScormCloud, Webhook


def adapters(sources: SourceSettings, ids: StatementIds) -> dict[tuple[str, str], Adapt]:
    """What reads dead letters that were no statements, by source and origin."""
    return {
        (source.name, ORIGIN): _scorm_cloud(source, ids).statements
        for source in sources.scorm_cloud
    }


def postback_sources(sources: SourceSettings, ids: StatementIds) -> tuple[PostbackSource, ...]:
    return tuple(
        PostbackSource(
            source.name,
            BasicCredential(source.username, source.password),
            _scorm_cloud(source, ids),
            source.max_body_bytes,
        )
        for source in sources.scorm_cloud
    )


def _scorm_cloud(source: ScormCloudSettings, ids: StatementIds) -> ScormCloud:
    return ScormCloud(
        PathTemplate.parse(source.course_activity),
        PathTemplate.parse(source.sco_activity),
        source.home_page,
        ids,
        source.learner,
    )


def webhook_sources(sources: SourceSettings, ids: StatementIds) -> tuple[WebhookSource, ...]:
    return tuple(
        WebhookSource(
            source.name,
            source.max_body_bytes,
            WebhookVerifier(_schemes(source), _keys(source), source.tolerance_seconds),
            _webhook(source, ids),
        )
        for source in sources.webhooks
    )


def _keys(source: WebhookSettings) -> Callable[[], tuple[bytes, ...]]:
    secrets = source.secrets
    return lambda: tuple(map(source.key, secrets))


def _schemes(source: WebhookSettings) -> tuple[SignatureScheme, ...]:
    signature = source.signature
    if signature is None:
        return STANDARD
    return (SignatureScheme(**signature.model_dump()),)


def _webhook(source: WebhookSettings, ids: StatementIds) -> Webhook:
    activity = source.activity
    return Webhook(
        source=source.name,
        ids=ids,
        learner=Path.parse(source.learner),
        activity=PathTemplate.parse(activity) if is_template(activity) else Path.parse(activity),
        home_page=source.account_home_page,
        progress=_path(source.progress),
        progress_scale=source.progress_scale,
        completed=_path(source.completed),
        completed_values=source.completed_values,
        passed=_path(source.passed),
        passed_values=source.passed_values,
        score=_path(source.score),
        score_scale=source.score_scale,
        time=_path(source.time),
        registration=_path(source.registration),
        id=_path(source.id),
        items=_path(source.items),
        event=_path(source.event),
        event_values=source.event_values,
    )


def _path(text: str | None) -> Path | None:
    return None if text is None else Path.parse(text)
