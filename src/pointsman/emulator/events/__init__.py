"""What happens on the platform, told beside GraphQL: signed webhooks and the REST API's feed."""

from pointsman.emulator.events.endpoints import EndpointOptions
from pointsman.emulator.events.platform_events import PlatformEvents
from pointsman.emulator.events.record import PlatformEvent
from pointsman.emulator.events.webhooks import PostWebhook, Webhooks, signature

__all__ = [
    "EndpointOptions",
    "PlatformEvent",
    "PlatformEvents",
    "PostWebhook",
    "Webhooks",
    "signature",
]
