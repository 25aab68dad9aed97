"""Launches: players that are started for one learner and one activity, and what they may say."""

from pointsman.sources.players.credentials import (
    CredentialExpired,
    CredentialIssuer,
    CredentialRefused,
    LaunchCredential,
    Purpose,
)
from pointsman.sources.players.launch_cache import LaunchCache
from pointsman.sources.players.launch_request import LaunchRequest, launch_from_request
from pointsman.sources.players.statement_authorization import (
    add_launch_context,
    authorize_statements,
)

__all__ = [
    "CredentialExpired",
    "CredentialIssuer",
    "CredentialRefused",
    "LaunchCache",
    "LaunchCredential",
    "LaunchRequest",
    "Purpose",
    "add_launch_context",
    "authorize_statements",
    "launch_from_request",
]
