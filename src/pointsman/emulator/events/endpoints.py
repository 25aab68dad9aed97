"""The endpoints that webhooks are sent to, as `POST /incoming/v2/webhooks` registers them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

from pointsman.emulator.events.kinds import EventKind


class EndpointOptions(BaseModel):
    """What an administrator says of an endpoint."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str
    secret: str = Field(min_length=1, repr=False)
    #: names of events; all of them without any
    events: tuple[str, ...] = ()
    active: bool = True

    @field_validator("url")
    @classmethod
    def _is_an_address(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("must begin with http:// or https:// and name a host")
        return url


@dataclass(slots=True)
class Endpoint:
    """An endpoint and its counts."""

    id: str
    options: EndpointOptions
    #: attempts that were made
    attempts: int = 0
    #: answered 2xx
    delivered: int = 0
    #: attempts without a 2xx
    failed: int = 0
    #: webhooks that the last attempt failed for
    given_up: int = 0
    #: webhooks that a fault lost
    lost: int = 0
    #: of the newest attempt: the status, or why there was no answer
    last: str = ""

    def takes(self, kind: EventKind) -> bool:
        names = self.options.events
        return self.options.active and (not names or kind.webhook in names)

    def as_json(self) -> dict[str, Any]:
        """Without the secret."""
        return {
            **self.options.model_dump(exclude={"secret"}, mode="json"),
            "attempts": self.attempts,
            "delivered": self.delivered,
            "failed": self.failed,
            "given_up": self.given_up,
            "lost": self.lost,
            "last": self.last,
        }
