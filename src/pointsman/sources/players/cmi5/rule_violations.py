"""Names the rules of cmi5 that a player's statement can break, and what becomes of one that does.

cmi5 section 6.3: an LMS should reject what conflicts with section 9, and voids what it does not
reject.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class RuleViolation(StrEnum):
    """A rule of cmi5 that a player's statement breaks; `RULES` has each as a sentence."""

    NO_ID = "no_id"
    NO_TIMESTAMP = "no_timestamp"
    NOT_UTC = "not_utc"
    NO_REGISTRATION = "no_registration"
    NO_SESSION_ID = "no_session_id"
    PREFERENCES_NOT_READ = "preferences_not_read"
    NOT_INITIALIZED = "not_initialized"
    AFTER_TERMINATED = "after_terminated"
    REPEATED_VERB = "repeated_verb"
    PASSED_AND_FAILED = "passed_and_failed"
    NOT_A_CMI5_VERB = "not_a_cmi5_verb"
    NOT_LAUNCHED_TO_COUNT = "not_launched_to_count"
    NOT_THE_ACTIVITY = "not_the_activity"
    NO_PUBLISHER_ID = "no_publisher_id"
    SCORE = "score"
    SUCCESS = "success"
    COMPLETION = "completion"
    NO_DURATION = "no_duration"
    MOVE_ON_CATEGORY = "move_on_category"
    MASTERY_SCORE = "mastery_score"
    BELOW_MASTERY = "below_mastery"
    FAILED_ABOVE_MASTERY = "failed_above_mastery"
    #: what cmi5 allows, though its author will have meant it to count
    NOT_CMI5_DEFINED = "not_cmi5_defined"


RULES: dict[RuleViolation, str] = {
    RuleViolation.NO_ID: "must have an id (section 9.1)",
    RuleViolation.NO_TIMESTAMP: "must have a timestamp (section 9.7)",
    RuleViolation.NOT_UTC: "must have its timestamp in UTC (section 9.7)",
    RuleViolation.NO_REGISTRATION: "must have the launch's registration (section 9.6.1)",
    RuleViolation.NO_SESSION_ID: "must have the session ID (section 9.6.3.1)",
    RuleViolation.PREFERENCES_NOT_READ: (
        "must come after the learner's preferences were asked for (section 11)"
    ),
    RuleViolation.NOT_INITIALIZED: "must come after initialized (section 9.3)",
    RuleViolation.AFTER_TERMINATED: "must not come after terminated (section 9.3)",
    RuleViolation.REPEATED_VERB: (
        "says a verb again: each once in a session, completed and passed once in a registration "
        "(section 9.3)"
    ),
    RuleViolation.PASSED_AND_FAILED: (
        "says both passed and failed in a session, or failed after passed (section 9.3)"
    ),
    RuleViolation.NOT_A_CMI5_VERB: (
        "has cmi5's category with a verb that cmi5 does not define (sections 7.1.3 and 9.3)"
    ),
    RuleViolation.NOT_LAUNCHED_TO_COUNT: (
        "must be initialized or terminated in Browse and Review (section 10.2.2)"
    ),
    RuleViolation.NOT_THE_ACTIVITY: "must be about the launched activity (section 9.4)",
    RuleViolation.NO_PUBLISHER_ID: (
        "must have the contextActivities of the contextTemplate (section 9.6.2)"
    ),
    RuleViolation.SCORE: (
        "has a score that is not allowed: only passed and failed have one, scaled from 0 to 1, raw "
        "with min and max, in whole numbers (section 9.5.1)"
    ),
    RuleViolation.SUCCESS: (
        "must have success true for passed, false for failed, and none else (section 9.5.2)"
    ),
    RuleViolation.COMPLETION: (
        "must have completion true for completed, and none else (section 9.5.3)"
    ),
    RuleViolation.NO_DURATION: "must have a duration (section 9.5.4.1)",
    RuleViolation.MOVE_ON_CATEGORY: (
        "must have the category moveon with success or completion, and not without "
        "(section 9.6.2.2)"
    ),
    RuleViolation.MASTERY_SCORE: (
        "must have the launch's masteryScore beside its score (section 9.6.3.2)"
    ),
    RuleViolation.BELOW_MASTERY: "is passed with less than masteryScore (section 9.3.4)",
    RuleViolation.FAILED_ABOVE_MASTERY: "is failed with masteryScore or more (section 9.3.5)",
    RuleViolation.NOT_CMI5_DEFINED: (
        "is completed or passed without cmi5's category, and does not count for moveOn "
        "(section 9.6.2.1)"
    ),
}

#: what is put in, so that what is stored breaks the rule no longer
MENDED = frozenset(
    {
        RuleViolation.NO_ID,
        RuleViolation.NO_TIMESTAMP,
        RuleViolation.NO_REGISTRATION,
        RuleViolation.NO_SESSION_ID,
    }
)
#: which statement breaks it depends on what was said before
OF_ORDER = frozenset(
    {
        RuleViolation.PREFERENCES_NOT_READ,
        RuleViolation.NOT_INITIALIZED,
        RuleViolation.AFTER_TERMINATED,
        RuleViolation.REPEATED_VERB,
        RuleViolation.PASSED_AND_FAILED,
    }
)


@dataclass(frozen=True, slots=True)
class Violation:
    """One statement, and a rule that it breaks."""

    statement_id: str
    rule: RuleViolation
    #: it is signed, so nothing can be put in
    signed: bool = False

    @property
    def conflicts(self) -> bool:
        """Whether what came conflicts with cmi5, so that it may be rejected."""
        return self.rule is not RuleViolation.NOT_CMI5_DEFINED

    @property
    def conflicts_as_stored(self) -> bool:
        """Whether what is stored still does, so that it has to be voided."""
        return self.conflicts and (self.signed or self.rule not in MENDED)

    def __str__(self) -> str:
        return f"the statement {self.statement_id} {RULES[self.rule]}"
