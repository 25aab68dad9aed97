"""The HTTP source: an xAPI endpoint for statements, and the daemon's probes and metrics."""

from pointsman.sources.batch import StatementIntake
from pointsman.sources.http.app import HttpDeps, make_app
from pointsman.sources.http.authorization import (
    LAUNCHED,
    BasicCredential,
    BearerCredential,
    HttpSource,
)
from pointsman.sources.http.launch_routes import LaunchRoutesDeps
from pointsman.sources.http.launches import LaunchSettings
from pointsman.sources.http.scorm_cloud import ORIGIN, PostbackSource
from pointsman.sources.http.webhook_signatures import STANDARD, SignatureScheme, WebhookVerifier
from pointsman.sources.http.webhooks import WebhookSource

__all__ = [
    "LAUNCHED",
    "ORIGIN",
    "STANDARD",
    "BasicCredential",
    "BearerCredential",
    "HttpDeps",
    "HttpSource",
    "LaunchRoutesDeps",
    "LaunchSettings",
    "PostbackSource",
    "SignatureScheme",
    "StatementIntake",
    "WebhookSource",
    "WebhookVerifier",
    "make_app",
]
