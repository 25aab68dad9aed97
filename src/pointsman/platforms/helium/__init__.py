"""The Thought Industries platform's GraphQL API, Helium."""

from pointsman.platforms.helium.calls import CallResult, HeliumCalls
from pointsman.platforms.helium.client import HeliumPlatform
from pointsman.platforms.helium.transport import HttpAnswer, HttpTransport, Transport

__all__ = [
    "CallResult",
    "HeliumCalls",
    "HeliumPlatform",
    "HttpAnswer",
    "HttpTransport",
    "Transport",
]
