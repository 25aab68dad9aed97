"""How settings become parts. `app` and `jobs` put the parts together and run them."""

from pointsman.wiring.cmi5 import following, gated, lms
from pointsman.wiring.delivery import auditor, dispatcher, quota
from pointsman.wiring.launches import known_launches, launch_deps
from pointsman.wiring.platforms import PlatformClients, helium_calls, platform_clients
from pointsman.wiring.sources import http_intake, intake, kafka_sources, outbox, serve_http
from pointsman.wiring.stores import store, store_and_budget
from pointsman.wiring.tokens import TokenSources, paid_login, token_sources, vault

__all__ = [
    "PlatformClients",
    "TokenSources",
    "auditor",
    "dispatcher",
    "following",
    "gated",
    "helium_calls",
    "http_intake",
    "intake",
    "kafka_sources",
    "known_launches",
    "launch_deps",
    "lms",
    "outbox",
    "paid_login",
    "platform_clients",
    "quota",
    "serve_http",
    "store",
    "store_and_budget",
    "token_sources",
    "vault",
]
