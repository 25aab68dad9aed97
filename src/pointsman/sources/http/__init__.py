"""The HTTP source: an xAPI endpoint for statements, and the daemon's probes and metrics."""

from pointsman.sources.http.app import HttpDeps, LaunchDeps, make_app
from pointsman.sources.http.auth import BasicCredential, BearerCredential, HttpSource
from pointsman.sources.http.door import LAUNCHED
from pointsman.sources.http.launches import LaunchSettings
from pointsman.sources.http.statements import HttpIntake

__all__ = [
    "LAUNCHED",
    "BasicCredential",
    "BearerCredential",
    "HttpDeps",
    "HttpIntake",
    "HttpSource",
    "LaunchDeps",
    "LaunchSettings",
    "make_app",
]
