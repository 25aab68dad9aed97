"""Turns settings into parts; `app` and `commands` put the parts together and run them."""

from pointsman.wiring.cmi5 import guarded_intake, lms, satisfied_tracker
from pointsman.wiring.confirmations import (
    confirmation_intake,
    event_readers,
    feed_readers,
    shown_only,
)
from pointsman.wiring.delivery import auditor, dispatcher, quota
from pointsman.wiring.delivery_events import delivery_events
from pointsman.wiring.http import (
    HttpListener,
    failed_attempts,
    http_deps,
    http_intake,
    http_listeners,
)
from pointsman.wiring.launches import launch_cache, launch_deps, retention
from pointsman.wiring.live import LiveParts
from pointsman.wiring.mapping import identity, identity_rules
from pointsman.wiring.metrics import known_labels
from pointsman.wiring.platforms import (
    PlatformClients,
    helium_calls,
    helium_examiner,
    platform_clients,
)
from pointsman.wiring.sources import (
    pipeline,
    pipeline_without_store,
    readers,
    refused_learners,
    statement_producer,
)
from pointsman.wiring.stores import budget_beside, store, store_and_budget
from pointsman.wiring.story import teller
from pointsman.wiring.tokens import TokenSources, paid_login, token_sources, vault
from pointsman.wiring.traces import log_processors, traces

__all__ = [
    "HttpListener",
    "LiveParts",
    "PlatformClients",
    "TokenSources",
    "auditor",
    "budget_beside",
    "confirmation_intake",
    "delivery_events",
    "dispatcher",
    "event_readers",
    "failed_attempts",
    "feed_readers",
    "guarded_intake",
    "helium_calls",
    "helium_examiner",
    "http_deps",
    "http_intake",
    "http_listeners",
    "identity",
    "identity_rules",
    "known_labels",
    "launch_cache",
    "launch_deps",
    "lms",
    "log_processors",
    "paid_login",
    "pipeline",
    "pipeline_without_store",
    "platform_clients",
    "quota",
    "readers",
    "refused_learners",
    "retention",
    "satisfied_tracker",
    "shown_only",
    "statement_producer",
    "store",
    "store_and_budget",
    "teller",
    "token_sources",
    "traces",
    "vault",
]
