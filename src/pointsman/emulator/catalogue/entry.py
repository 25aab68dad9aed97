"""What every entry of a catalogue is made of."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, StringConstraints

Name = Annotated[str, StringConstraints(min_length=1)]
#: addresses are compared without regard to case
Email = Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+$", to_lower=True)]
#: when whatever says nothing of it was made
LONG_AGO = datetime(2024, 1, 1, tzinfo=UTC)


class CatalogueEntry(BaseModel):
    """A table of the file. Unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Dated(CatalogueEntry):
    """A table that says when it was made and changed."""

    created_at: AwareDatetime = LONG_AGO
    updated_at: AwareDatetime = LONG_AGO
