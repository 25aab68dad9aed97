"""How settings become parts. `app` and `jobs` put the parts together and run them."""

from pointsman.assembly.cmi5 import following, gated, lms
from pointsman.assembly.delivery import auditor, budget, calls, dispatcher, platform, quota, reader
from pointsman.assembly.intake import http_intake, intake, kafka_sources, outbox, serve_http
from pointsman.assembly.launches import known_launches, launch_deps, provider
from pointsman.assembly.stores import store
from pointsman.assembly.tokens import close_tokens, log_in, vault

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
