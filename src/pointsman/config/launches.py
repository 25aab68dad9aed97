"""[launches]: players that your pages start, for one learner and one activity each."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr, ValidationInfo, field_validator

from pointsman.config.fields import (
    ExistingFile,
    RequiredSecret,
    SecretFile,
    Section,
    WebAddress,
    given,
    no_secret,
    read_secret,
    require_some,
)
from pointsman.config.sources import Credential

#: RFC 7518 section 3.2: a key of HS256 is at least as long as its hash
_KEY_CHARACTERS = 32


class Launches(Section):
    """Whoever may start players, and how what players hold is signed."""

    #: how browsers reach this daemon, with the path in front of /xapi where there is one
    public_url: WebAddress
    #: who may ask for launches
    operators: Annotated[tuple[Credential, ...], AfterValidator(require_some)]
    #: what launch credentials are signed with: `pointsman launches new-key`
    signing_key_file: SecretFile = None
    signing_key: RequiredSecret = Field(default_factory=no_secret)
    #: files of keys that sign no longer; what they signed is good until it expires
    old_signing_key_files: tuple[ExistingFile, ...] = ()
    #: of a launch that does not say how long it is good for
    lifetime_hours: float = Field(default=24, ge=0.02, le=8_760)
    #: of any launch
    max_lifetime_hours: float = Field(default=720, ge=0.02, le=8_760)
    #: how long a cmi5 session may still say something after its `terminated`
    grace_seconds: float = Field(default=60, ge=0, le=3_600)

    @field_validator("signing_key")
    @classmethod
    def _long_enough(cls, key: SecretStr) -> SecretStr:
        if key.get_secret_value():
            _check(key.get_secret_value())
        return key

    @field_validator("old_signing_key_files")
    @classmethod
    def _keys(cls, files: tuple[Path, ...]) -> tuple[Path, ...]:
        for path in files:
            try:
                _check(read_secret(path))
            except ValueError as error:
                raise ValueError(f"{path}: {error}") from None
        return files

    @field_validator("max_lifetime_hours")
    @classmethod
    def _most(cls, most: float, info: ValidationInfo) -> float:
        if given(info, "lifetime_hours") and most < (least := info.data["lifetime_hours"]):
            raise ValueError(f"must not be less than lifetime_hours, which is {least:g}")
        return most

    @property
    def signing_keys(self) -> list[str]:
        """All of them, the one that signs first."""
        old = [read_secret(path) for path in self.old_signing_key_files]
        return [self.signing_key.get_secret_value(), *old]


def _check(key: str) -> None:
    if len(key) < _KEY_CHARACTERS:
        raise ValueError(
            f"must have {_KEY_CHARACTERS} characters or more, as `pointsman launches new-key` "
            "prints them"
        )
