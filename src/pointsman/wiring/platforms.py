"""Turns [platform] into the clients of a platform; only here it is known which one that is."""

from __future__ import annotations

from dataclasses import dataclass

from pointsman.config import Settings
from pointsman.domain.clock import Clock
from pointsman.platforms.base import LoginClient, Platform, ReadBackClient
from pointsman.platforms.examiner import Examiner
from pointsman.platforms.helium import HeliumCalls, HeliumPlatform, HttpTransport
from pointsman.platforms.helium.examiner import HeliumExaminer
from pointsman.platforms.helium.login import HeliumLogin
from pointsman.platforms.helium.readback import HeliumReader
from pointsman.wiring.tracing import NO_TRACES, Traces


@dataclass(frozen=True, slots=True)
class PlatformClients:
    """Clients of one instance; each connects when it is used first."""

    platform: Platform
    reader: ReadBackClient
    login: LoginClient
    transports: tuple[HttpTransport, ...]

    def reconfigure(self, settings: Settings) -> None:
        """Show the key of these settings from now on."""
        for transport in self.transports:
            transport.reconfigure(settings.platform)

    async def close(self) -> None:
        """Close their connections."""
        await self.platform.close()
        await self.reader.close()
        await self.login.close()


def platform_clients(
    settings: Settings, clock: Clock, traces: Traces = NO_TRACES
) -> PlatformClients:
    """The clients of the configured platform."""
    url = settings.platform.url
    deliveries = _transport(settings, settings.delivery.concurrency + 1)
    readings, logins = _transport(settings, 1), _transport(settings, 1)
    return PlatformClients(
        HeliumPlatform(traces.transport(deliveries, url), clock),
        HeliumReader(traces.transport(readings, url), clock),
        HeliumLogin(HeliumCalls(traces.transport(logins, url), clock)),
        (deliveries, readings, logins),
    )


def helium_calls(settings: Settings, clock: Clock) -> HeliumCalls:
    """Helium's operations one by one, for people at a terminal."""
    return HeliumCalls(_transport(settings, 1), clock)


def helium_examiner(settings: Settings, clock: Clock, answer_seconds: float) -> Examiner:
    """What `pointsman doctor` asks the instance with, waiting so long for each answer at most."""
    seconds = min(answer_seconds, settings.platform.timeout_seconds)
    platform = settings.platform.model_copy(update={"timeout_seconds": seconds})
    return HeliumExaminer(HttpTransport(platform, connections=1), clock)


def _transport(settings: Settings, connections: int) -> HttpTransport:
    return HttpTransport(settings.platform, connections=connections)
