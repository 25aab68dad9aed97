"""[audit]: reading back what was delivered, with what delivery leaves over of the quota."""

from __future__ import annotations

from pydantic import Field

from pointsman.config.fields import Section


class Audit(Section):
    """[audit]."""

    enabled: bool = True
    #: at most; delivery comes first in any case
    requests_per_minute: int = Field(default=60, ge=1, le=10_000)
    #: how long a delivery is left alone before it is looked at
    settle_seconds: float = Field(default=30, ge=0, le=86_400)
    #: what was looked at is looked at again after this
    again_after_hours: float = Field(default=24, gt=0, le=8_760)
