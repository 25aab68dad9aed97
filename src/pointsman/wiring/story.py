"""Makes the teller of stories: the rules, the identities and the ways to an authToken of now."""

from __future__ import annotations

from pointsman.config import Settings
from pointsman.delivery.budget.base import QuotaLimits
from pointsman.domain.clock import Clock, micros
from pointsman.platforms.helium.client import QUOTA_WINDOW
from pointsman.store.base import Store
from pointsman.story import Teller
from pointsman.story.words import shell_word
from pointsman.wiring.mapping import identity_rules
from pointsman.wiring.sources import pipeline


def teller(settings: Settings, store: Store, clock: Clock) -> Teller:
    """For one store, beside the daemon or in it."""
    limits = QuotaLimits.of(settings.platform.limits, window=QUOTA_WINDOW)
    return Teller(
        store,
        pipeline(settings, store, clock),
        identity_rules(settings),
        clock,
        points=limits.points,
        requests=limits.requests,
        token_hint=lambda learner: token_cure(settings, learner),
        unconfirmed_after=micros(settings.audit.unconfirmed_after_minutes * 60),
    )


def token_cure(settings: Settings, learner: str) -> str:
    """How a person gets this learner an authToken, with what is configured."""
    tokens = settings.learners.tokens
    if tokens.file is not None:
        login = f"pointsman platform login {shell_word(learner)}"
        return f"{login} --save-to {shell_word(str(tokens.file))}"
    if tokens.launches:
        return "let the learner launch once more: the launch brings a token"
    return "see that learners.tokens has one for this learner (docs/tokens.md)"
