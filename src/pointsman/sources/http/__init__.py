"""The HTTP source: an xAPI endpoint for statements, and the daemon's probes and metrics."""

from pointsman.sources.http.app import HttpDeps, make_app
from pointsman.sources.http.auth import BasicCredential, BearerCredential, HttpSource
from pointsman.sources.http.door import LAUNCHED
from pointsman.sources.http.launched import LaunchDeps
from pointsman.sources.http.launches import LaunchSettings
from pointsman.sources.http.scorm_cloud import ORIGIN, PostbackSource
from pointsman.sources.http.signatures import STANDARD, Scheme, Signed
from pointsman.sources.http.webhooks import WebhookSource
from pointsman.sources.requests import HttpIntake

__all__ = [
    "LAUNCHED",
    "ORIGIN",
    "STANDARD",
    "BasicCredential",
    "BearerCredential",
    "HttpDeps",
    "HttpIntake",
    "HttpSource",
    "LaunchDeps",
    "LaunchSettings",
    "PostbackSource",
    "Scheme",
    "Signed",
    "WebhookSource",
    "make_app",
]
