"""Settings [platform]: the instance that progress is sent to, and what it allows."""

from __future__ import annotations

import math
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from pointsman.outgoing.settings import OutgoingSettings
from pointsman.secret_values import require
from pointsman.setting_types import (
    RequiredSecret,
    SecretFile,
    Section,
    no_secret,
    valid_so_far,
    web_address,
)


class PlatformLimits(Section):
    """[platform.limits]: what the platform allows the whole instance, and our part of it."""

    #: points that the platform grants the instance in a minute
    points_per_minute: int = Field(default=100_000, ge=1)
    #: requests that it takes from the instance in a minute
    requests_per_minute: int = Field(default=2_500, ge=1)
    #: the most points that one request may cost
    points_per_request: int = Field(default=1_000, ge=1)
    #: the part that pointsman may use; the rest stays for the customer's own site
    share: float = Field(default=0.8, gt=0, le=1)
    #: adaptive: of the share only what the site leaves, as the platform's headers tell
    sharing: Literal["fixed", "adaptive"] = "fixed"
    #: what was sent counts for so much longer than a window, for clocks and networks may disagree
    window_guard_seconds: float = Field(default=0.2, ge=0, le=10)

    @field_validator("share")
    @classmethod
    def _leaves_something(cls, share: float, info: ValidationInfo) -> float:
        for key in ("points_per_minute", "requests_per_minute"):
            if valid_so_far(info, key) and _part(info.data[key], share) < 1:
                raise ValueError(
                    f"of {key} = {info.data[key]} is less than one, so nothing could ever be sent"
                )
        return share

    @property
    def usable_points(self) -> int:
        """Points a minute that pointsman may spend."""
        return _part(self.points_per_minute, self.share)

    @property
    def usable_requests(self) -> int:
        """Requests a minute that pointsman may send."""
        return _part(self.requests_per_minute, self.share)


def _plain(key: str) -> None:
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise ValueError("must be plain ASCII without spaces or line breaks")


def _part(whole: int, share: float) -> int:
    # rounded first, so that 0.29 of 100 is 29 and not 28
    return math.floor(round(whole * share, 6))


class PlatformSettings(OutgoingSettings):
    """[platform]: the Thought Industries instance."""

    #: of the instance, or of its GraphQL endpoint; `/helium` is added to a bare host
    url: str
    #: a file with the instance's API key
    api_key_file: SecretFile = None
    #: the instance's API key
    api_key: RequiredSecret = Field(default_factory=no_secret)
    #: for one request
    timeout_seconds: float = Field(default=30, gt=0, le=600)
    #: what the platform allows the whole instance, and our part of it
    limits: PlatformLimits = Field(default_factory=PlatformLimits)

    @property
    def origin(self) -> str:
        """Scheme and host; the home page of the accounts that stand for our sources."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    @field_validator("url")
    @classmethod
    def _endpoint(cls, url: str) -> str:
        parts = urlsplit(web_address(url))
        if parts.query or parts.fragment:
            raise ValueError("must have no query; the key goes into api_key or api_key_file")
        return parts._replace(path=parts.path.rstrip("/") or "/helium").geturl()

    @field_validator("api_key")
    @classmethod
    def _header_safe(cls, key: SecretStr) -> SecretStr:
        return require(key, _plain)
