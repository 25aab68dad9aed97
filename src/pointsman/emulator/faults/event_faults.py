"""What strikes a webhook, an event and a request to the REST API, each put together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pointsman.emulator.faults.rules import (
    BackdateWebhook,
    DelayWebhook,
    FailRest,
    Fault,
    HideEvent,
    LoseWebhook,
    MissignWebhook,
    RepeatWebhook,
    SlowRest,
)


@dataclass(slots=True)
class InjectedWebhookFault:
    """All that strikes one webhook on its way to one endpoint."""

    stage: ClassVar[str] = "webhook"

    lost: bool = False
    repeats: int = 0
    #: seconds
    delay: float = 0.0
    is_missigned: bool = False
    #: seconds that the timestamp of the first attempt is too old
    backdated_by: float = 0.0

    def add(self, fault: Fault) -> None:
        match fault:
            case LoseWebhook():
                self.lost = True
            case RepeatWebhook():
                self.repeats += fault.repeats
            case DelayWebhook():
                self.delay += fault.seconds
            case MissignWebhook():
                self.is_missigned = True
            case BackdateWebhook():
                self.backdated_by += fault.seconds


@dataclass(slots=True)
class InjectedEventFault:
    """All that strikes one event."""

    stage: ClassVar[str] = "event"

    #: seconds until the feed shows it
    hidden: float = 0.0

    def add(self, fault: Fault) -> None:
        if isinstance(fault, HideEvent):
            self.hidden += fault.seconds


@dataclass(slots=True)
class InjectedRestFault:
    """All that strikes one request to the REST API."""

    stage: ClassVar[str] = "rest"

    #: seconds
    latency: float = 0.0
    status: int | None = None
    #: seconds of `Retry-After`
    retry_after: float | None = None

    def add(self, fault: Fault) -> None:
        match fault:
            case SlowRest():
                self.latency += fault.seconds
            case FailRest():
                self.status, self.retry_after = fault.status, fault.retry_after
