"""The work of single commands, done with the daemon's parts but without the daemon."""

from __future__ import annotations

from pointsman.commands.beside import with_store
from pointsman.commands.confirmations import backfill_feed, confirmation_report
from pointsman.commands.delivered import deliveries, import_state
from pointsman.commands.intake import (
    import_file,
    import_lrs,
    replay,
    replay_letters,
    stored_input,
    try_rules,
)
from pointsman.commands.people import (
    explain,
    export_person,
    forget,
    refused_learners,
    revoke_launches,
    unmatched_of,
    who,
)
from pointsman.commands.upkeep import (
    WaitsForPerson,
    back_up,
    books,
    pause,
    reload,
    restore,
    resume,
    status,
    upgrade,
    waits_for_person,
)
from pointsman.delivery.settled_deliveries import SettledDelivery
from pointsman.delivery.state_import import ImportStep, ImportTarget
from pointsman.operations import recorded
from pointsman.privacy import ForgetRequest, Forgotten
from pointsman.sources.backfill import BackfillProgress, LoadRate, LrsSettings
from pointsman.sources.replay import ReplayPage
from pointsman.sources.rule_trial import RuleResult, RuleTrial

__all__ = [
    "BackfillProgress",
    "ForgetRequest",
    "Forgotten",
    "ImportStep",
    "ImportTarget",
    "LoadRate",
    "LrsSettings",
    "ReplayPage",
    "RuleResult",
    "RuleTrial",
    "SettledDelivery",
    "WaitsForPerson",
    "back_up",
    "backfill_feed",
    "books",
    "confirmation_report",
    "deliveries",
    "explain",
    "export_person",
    "forget",
    "import_file",
    "import_lrs",
    "import_state",
    "pause",
    "recorded",
    "refused_learners",
    "reload",
    "replay",
    "replay_letters",
    "restore",
    "resume",
    "revoke_launches",
    "status",
    "stored_input",
    "try_rules",
    "unmatched_of",
    "upgrade",
    "waits_for_person",
    "who",
    "with_store",
]
