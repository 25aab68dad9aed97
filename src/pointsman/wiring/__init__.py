"""How settings become parts. `app` and `jobs` put the parts together and run them."""

from pointsman.wiring.cmi5 import following, gated, lms
from pointsman.wiring.delivery import auditor, budget, calls, dispatcher, platform, quota, reader
from pointsman.wiring.launches import known_launches, launch_deps, provider
from pointsman.wiring.metrics import known_labels
from pointsman.wiring.sources import http_intake, intake, kafka_sources, outbox, serve_http
from pointsman.wiring.stores import store
from pointsman.wiring.tokens import close_tokens, log_in, vault

__all__ = [
    "auditor",
    "budget",
    "calls",
    "close_tokens",
    "dispatcher",
    "following",
    "gated",
    "http_intake",
    "intake",
    "kafka_sources",
    "known_labels",
    "known_launches",
    "launch_deps",
    "lms",
    "log_in",
    "outbox",
    "platform",
    "provider",
    "quota",
    "reader",
    "serve_http",
    "store",
    "vault",
]
