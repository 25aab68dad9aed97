"""The work of single commands, done with the daemon's parts but without the daemon."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pointsman.lazy_names import lazily

if TYPE_CHECKING:
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
        LaunchState,
        export_person,
        forget,
        launch_state,
        refused_learners,
        revoke_launch,
        revoke_launches_of,
        unmatched_of,
        who,
    )
    from pointsman.commands.story import explain
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
    from pointsman.privacy import ForgetRequest, Forgotten, holds_nothing
    from pointsman.sources.backfill import BackfillProgress, LoadRate, LrsSettings
    from pointsman.sources.replay import ReplayPage
    from pointsman.sources.rule_trial import RuleResult, RuleTrial

__all__ = [
    "BackfillProgress",
    "ForgetRequest",
    "Forgotten",
    "ImportStep",
    "ImportTarget",
    "LaunchState",
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
    "holds_nothing",
    "import_file",
    "import_lrs",
    "import_state",
    "launch_state",
    "pause",
    "recorded",
    "refused_learners",
    "reload",
    "replay",
    "replay_letters",
    "restore",
    "resume",
    "revoke_launch",
    "revoke_launches_of",
    "status",
    "stored_input",
    "try_rules",
    "unmatched_of",
    "upgrade",
    "waits_for_person",
    "who",
    "with_store",
]

#: a name is loaded when it is used: a command needs few of them
__getattr__ = lazily(
    "pointsman",
    {
        "commands.beside": ("with_store",),
        "commands.confirmations": ("backfill_feed", "confirmation_report"),
        "commands.delivered": ("deliveries", "import_state"),
        "commands.intake": (
            "import_file",
            "import_lrs",
            "replay",
            "replay_letters",
            "stored_input",
            "try_rules",
        ),
        "commands.people": (
            "LaunchState",
            "export_person",
            "forget",
            "launch_state",
            "refused_learners",
            "revoke_launch",
            "revoke_launches_of",
            "unmatched_of",
            "who",
        ),
        "commands.story": ("explain",),
        "commands.upkeep": (
            "WaitsForPerson",
            "back_up",
            "books",
            "pause",
            "reload",
            "restore",
            "resume",
            "status",
            "upgrade",
            "waits_for_person",
        ),
        "delivery.settled_deliveries": ("SettledDelivery",),
        "delivery.state_import": ("ImportStep", "ImportTarget"),
        "operations": ("recorded",),
        "privacy": ("ForgetRequest", "Forgotten", "holds_nothing"),
        "sources.backfill": ("BackfillProgress", "LoadRate", "LrsSettings"),
        "sources.replay": ("ReplayPage",),
        "sources.rule_trial": ("RuleResult", "RuleTrial"),
    },
)
