"""Turns settings into parts; `app` and `commands` put the parts together and run them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pointsman.lazy_names import lazily

if TYPE_CHECKING:
    from pointsman.wiring.cmi5 import guarded_intake, lms, satisfied_tracker
    from pointsman.wiring.confirmations import (
        confirmation_intake,
        event_readers,
        feed_readers,
        shown_only,
    )
    from pointsman.wiring.delivery import auditor, dispatcher, quota
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
    from pointsman.wiring.pipelines import pipeline, pipeline_without_store, refused_learners
    from pointsman.wiring.platforms import (
        PlatformClients,
        helium_calls,
        helium_examiner,
        platform_clients,
    )
    from pointsman.wiring.settled_deliveries import delivery_events
    from pointsman.wiring.sources import readers, statement_producer
    from pointsman.wiring.stores import budget_beside, store, store_and_budget
    from pointsman.wiring.story import teller
    from pointsman.wiring.tokens import TokenSources, paid_login, token_sources, vault
    from pointsman.wiring.tracing import log_processors, traces

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

#: a name is loaded when it is used: most commands need few of them
__getattr__ = lazily(
    __name__,
    {
        "cmi5": ("guarded_intake", "lms", "satisfied_tracker"),
        "confirmations": ("confirmation_intake", "event_readers", "feed_readers", "shown_only"),
        "delivery": ("auditor", "dispatcher", "quota"),
        "http": ("HttpListener", "failed_attempts", "http_deps", "http_intake", "http_listeners"),
        "launches": ("launch_cache", "launch_deps", "retention"),
        "live": ("LiveParts",),
        "mapping": ("identity", "identity_rules"),
        "metrics": ("known_labels",),
        "pipelines": ("pipeline", "pipeline_without_store", "refused_learners"),
        "platforms": ("PlatformClients", "helium_calls", "helium_examiner", "platform_clients"),
        "settled_deliveries": ("delivery_events",),
        "sources": ("readers", "statement_producer"),
        "stores": ("budget_beside", "store", "store_and_budget"),
        "story": ("teller",),
        "tokens": ("TokenSources", "paid_login", "token_sources", "vault"),
        "tracing": ("log_processors", "traces"),
    },
)
