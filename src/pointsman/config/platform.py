"""[platform] and [delivery]: where progress goes, and at what pace."""

from __future__ import annotations

import math
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from pointsman.config.fields import (
    RequiredSecret,
    SecretFile,
    Section,
    given,
    no_secret,
    web_address,
)


class Limits(Section):
    """[platform.limits]: what the platform allows the whole instance, and our part of it."""

    points_per_minute: int = Field(default=100_000, ge=1)
    requests_per_minute: int = Field(default=2_500, ge=1)
    points_per_request: int = Field(default=1_000, ge=1)
    #: the part that pointsman may use; the rest stays for the customer's own site
    share: float = Field(default=0.8, gt=0, le=1)
    #: nothing is sent this close to a window's end, where clocks may disagree
    window_guard_seconds: float = Field(default=0.2, ge=0, le=10)

    @field_validator("share")
    @classmethod
    def _leaves_something(cls, share: float, info: ValidationInfo) -> float:
        for key in ("points_per_minute", "requests_per_minute"):
            if given(info, key) and _part(info.data[key], share) < 1:
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


def _part(whole: int, share: float) -> int:
    # rounded first, so that 0.29 of 100 is 29 and not 28
    return math.floor(round(whole * share, 6))


class Platform(Section):
    """[platform]: the Thought Industries instance."""

    #: of the instance, or of its GraphQL endpoint; `/helium` is added to a bare host
    url: str
    api_key_file: SecretFile = None
    api_key: RequiredSecret = Field(default_factory=no_secret)
    #: for one request
    timeout_seconds: float = Field(default=30, gt=0, le=600)
    limits: Limits = Field(default_factory=Limits)

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
        text = key.get_secret_value()
        if not text.isascii() or any(character.isspace() for character in text):
            raise ValueError("must be plain ASCII without spaces or line breaks")
        return key


class Delivery(Section):
    """[delivery]: how desired state is driven to the platform."""

    #: requests under way at once
    concurrency: int = Field(default=8, ge=1, le=1_000)
    #: a learner's partial progress goes at most this often; completions at once; 0 = always at once
    progress_interval_seconds: float = Field(default=5, ge=0, le=86_400)
    #: a learner whose delivery died is free again after this
    lease_seconds: float = Field(default=60, gt=0, le=3_600)
    retry_base_seconds: float = Field(default=1, gt=0, le=3_600)
    retry_max_seconds: float = Field(default=300, gt=0, le=86_400)
    #: of one piece of state, then it is parked
    max_failures: int = Field(default=8, ge=1)

    @field_validator("retry_max_seconds")
    @classmethod
    def _not_below_base(cls, longest: float, info: ValidationInfo) -> float:
        if given(info, "retry_base_seconds") and longest < info.data["retry_base_seconds"]:
            raise ValueError(
                f"must be at least retry_base_seconds, which is {info.data['retry_base_seconds']:g}"
            )
        return longest
