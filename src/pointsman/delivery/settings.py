"""Settings [delivery] and [audit]: how fast and how often the platform is asked."""

from __future__ import annotations

from pydantic import Field, ValidationInfo, field_validator

from pointsman.setting_types import Section, valid_so_far


class DeliverySettings(Section):
    """[delivery]: how desired state is driven to the platform."""

    #: requests under way at once, at most; how many are follows how long the platform takes
    concurrency: int = Field(default=256, ge=1, le=1_000)
    #: a learner's partial progress goes at most this often; completions at once; 0 = always at once
    progress_interval_seconds: float = Field(default=5, ge=0, le=86_400)
    #: a learner whose delivery died is free again after this
    lease_seconds: float = Field(default=60, gt=0, le=3_600)
    retry_base_seconds: float = Field(default=1, gt=0, le=3_600)
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

    enabled: bool = True
    #: at most; delivery comes first in any case
    requests_per_minute: int = Field(default=60, ge=1, le=10_000)
    #: how long a delivery is left alone before it is looked at
    settle_seconds: float = Field(default=30, ge=0, le=86_400)
    #: what was looked at is looked at again after this
    again_after_hours: float = Field(default=24, gt=0, le=8_760)
