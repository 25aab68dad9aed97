"""Settings [delivery] and [audit]: how fast and how often the platform is asked."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from pointsman.setting_types import Section, valid_so_far

Weight = Annotated[float, Field(gt=0, le=1_000)]


class DeliverySettings(Section):
    """[delivery]: how desired state is driven to the platform."""

    #: requests under way at once, at most; how many are follows how long the platform takes
    concurrency: int = Field(default=256, ge=1, le=1_000)
    #: a learner's partial progress goes at most this often; completions at once; 0 = always at once
    progress_interval_seconds: float = Field(default=5, ge=0, le=86_400)
    #: "fresh": what the quota leaves over makes progress fresher; "thrifty": no more requests than
    #: freshness asks for
    economy: Literal["fresh", "thrifty"] = "fresh"
    #: how long progress may wait, where its rule does not say
    fresh_within_seconds: float = Field(default=30, gt=0, le=3_600)
    #: how much of the quota a source gets when all want more than there is: name = weight; others 1
    source_weights: dict[str, Weight] = Field(default_factory=dict)
    #: the same between the rules of a source
    rule_weights: dict[str, Weight] = Field(default_factory=dict)
    #: a learner whose delivery died is free again after this
    lease_seconds: float = Field(default=60, gt=0, le=3_600)
    #: the pause after the first failure; it doubles with each further one
    retry_base_seconds: float = Field(default=1, gt=0, le=3_600)
    #: the longest pause between two tries
    retry_max_seconds: float = Field(default=300, gt=0, le=86_400)
    #: of one piece of state, then it is parked
    max_failures: int = Field(default=8, ge=1)

    @field_validator("retry_max_seconds")
    @classmethod
    def _not_below_base(cls, longest: float, info: ValidationInfo) -> float:
        if valid_so_far(info, "retry_base_seconds") and longest < info.data["retry_base_seconds"]:
            raise ValueError(
                f"must be at least retry_base_seconds, which is {info.data['retry_base_seconds']:g}"
            )
        return longest


class AuditSettings(Section):
    """[audit]: reading back what was delivered, with what delivery leaves over of the quota."""

    #: whether what was delivered is read back
    enabled: bool = True
    #: at most; delivery comes first in any case
    requests_per_minute: int = Field(default=60, ge=1, le=10_000)
    #: how long a delivery is left alone before it is looked at
    settle_seconds: float = Field(default=30, ge=0, le=86_400)
    #: what was looked at is looked at again after this
    again_after_hours: float = Field(default=24, gt=0, le=8_760)
    #: with [[confirmations]], what differs for the first time is looked at once more after this:
    #: the platform may say by itself that somebody changed it on purpose
    suspect_seconds: float = Field(default=120, ge=0, le=86_400)
    #: a completion that nobody confirmed for so long after its delivery is unconfirmed
    unconfirmed_after_minutes: float = Field(default=60, gt=0, le=525_600)
    #: a certificate that has not come for so long after the completion was confirmed is missing
    certificate_after_hours: float = Field(default=24, gt=0, le=8_760)
