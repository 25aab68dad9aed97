"""Users, the clients that they belong to, and the awards that they can earn."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from pointsman.emulator.catalogue.entry import CatalogueEntry, Email, Name

#: the role that learner mutations need
STUDENT = "STUDENT"


class Learner(CatalogueEntry):
    id: Name
    email: Email
    password: str = Field(min_length=1, repr=False)
    #: a user who is no STUDENT can log in, but the learner mutations are forbidden
    role: Annotated[str, StringConstraints(pattern=r"^[A-Z_]+$")] = STUDENT
    first_name: str = ""
    last_name: str = ""

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


class Client(CatalogueEntry):
    """A sub-tenant."""

    id: Name
    name: Name
    slug: Name


class AwardType(CatalogueEntry):
    id: Name
    label: Name
    plural_label: str | None = None
