"""The HTTP source: an xAPI endpoint for statements, and the daemon's probes and metrics."""

from pointsman.sources.http.app import HttpDeps, make_app
from pointsman.sources.http.auth import BasicCredential, BearerCredential, HttpSource
from pointsman.sources.http.statements import HttpIntake

__all__ = [
    "BasicCredential",
    "BearerCredential",
    "HttpDeps",
    "HttpIntake",
    "HttpSource",
    "make_app",
]
