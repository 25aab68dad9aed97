"""The Thought Industries platform's GraphQL API, Helium."""

from pointsman.platforms.helium.client import HeliumPlatform
from pointsman.platforms.helium.transport import HttpAnswer, HttpTransport, Transport

__all__ = ["HeliumPlatform", "HttpAnswer", "HttpTransport", "Transport"]
