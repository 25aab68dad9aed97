"""Settings [launches], and what senders and operators show to be known."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr, ValidationInfo, field_validator

from pointsman.secret_values import FileSecret, require
from pointsman.setting_types import (
    ExistingFile,
    OptionalStrongSecret,
    RequiredStrongSecret,
    SecretFile,
    Section,
    WebAddress,
    no_secret,
    require_some,
    valid_so_far,
)

#: RFC 7518 section 3.2: a key of HS256 is at least as long as its hash
_KEY_CHARACTERS = 32


class CredentialSettings(Section):
    """What a sender shows: HTTP Basic's key and secret (RFC 7617), or a bearer (RFC 6750)."""

    #: the user name of HTTP Basic
    key: str | None = None
    #: a file with the password of HTTP Basic
    secret_file: SecretFile = None
    #: the password of HTTP Basic
    secret: OptionalStrongSecret = None
    #: a file with the bearer token
    bearer_file: SecretFile = None
    #: a bearer token, instead of key and secret
    bearer: OptionalStrongSecret = None

    @field_validator("key")
    @classmethod
    def _no_colon(cls, key: str | None) -> str | None:
        if key is not None and (not key or ":" in key):
            raise ValueError("must not be empty or hold a colon, which ends it in HTTP Basic")
        return key

    @field_validator("secret")
    @classmethod
    def _key_and_secret(cls, secret: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if valid_so_far(info, "key", "secret_file") and (info.data["key"] is None) != (
            secret is None
        ):
            other = "secret or secret_file" if secret is None else "key"
            raise ValueError(f"needs {other} too: key and secret go together")
        return secret

    @field_validator("bearer")
    @classmethod
    def _one_kind(cls, bearer: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        basic = info.data.get("key") is not None or info.data.get("secret") is not None
        if basic and bearer is not None:
            raise ValueError(
                "must not stand beside key and secret; make it a credential of its own"
            )
        if not basic and bearer is None and valid_so_far(info, "key", "secret", "bearer_file"):
            raise ValueError("is missing; a credential is key and secret, or bearer")
        return bearer


class LaunchLimitSettings(Section):
    """[launches.limits]: what one launched player may do, for the learner holds its credential."""

    #: requests of one launch, in a second; ten times that at once
    requests_per_second: float = Field(default=20, ge=0.1, le=10_000)
    #: of the body of one request, which is less than other sources may send
    request_bytes: int = Field(default=1_048_576, ge=1_024)
    #: of one request
    request_statements: int = Field(default=50, ge=1)
    #: of one state or profile document
    document_bytes: int = Field(default=524_288, ge=1_024)
    #: of one registration
    registration_documents: int = Field(default=200, ge=1)
    #: of all documents of one registration
    registration_bytes: int = Field(default=10_485_760, ge=1_024)
    #: of one learner, of all registrations and of none
    learner_documents: int = Field(default=5_000, ge=1)
    #: of all documents of one learner
    learner_bytes: int = Field(default=104_857_600, ge=1_024)
    #: of all statements of one registration, with their attachments
    statement_bytes: int = Field(default=104_857_600, ge=1_024)
    #: of all statements of one learner in a day (UTC)
    learner_statement_bytes: int = Field(default=209_715_200, ge=1_024)


class LaunchSettings(Section):
    """[launches]: who may start players, and how what players hold is signed.

    A player is started for one learner and one activity.
    """

    #: how browsers reach this daemon, with the path in front of /xapi where there is one
    public_url: WebAddress
    #: who may ask for launches
    operators: Annotated[tuple[CredentialSettings, ...], AfterValidator(require_some)]
    #: what launch credentials are signed with: `pointsman launches new-key`
    signing_key_file: SecretFile = None
    #: the key that launch credentials are signed with
    signing_key: RequiredStrongSecret = Field(default_factory=no_secret)
    #: files of keys that sign no longer; what they signed is good until it expires
    old_signing_key_files: tuple[ExistingFile, ...] = ()
    #: of a launch that does not say how long it is good for
    lifetime_hours: float = Field(default=8, ge=0.02, le=8_760)
    #: of any launch
    max_lifetime_hours: float = Field(default=720, ge=0.02, le=8_760)
    #: whether the `actor` of a launch may be another learner than its `learner`
    any_actor: bool = False
    #: how long a cmi5 session may still say something after its `terminated`
    grace_seconds: float = Field(default=60, ge=0, le=3_600)
    #: of a statement that conflicts with cmi5 (section 6.3): it is taken for what it says, and
    #: voided by the LMS; or rejected with 403, and most players never repeat what was
    cmi5_conflicts: Literal["void", "reject"] = "void"

    #: state of a registration is forgotten so long after its last launch and its last change;
    #: 0 = never
    documents_days: float = Field(default=180, ge=0, le=36_500)
    #: what one launched player may send and store
    limits: LaunchLimitSettings = Field(default_factory=LaunchLimitSettings)

    @field_validator("signing_key")
    @classmethod
    def _long_enough(cls, key: SecretStr) -> SecretStr:
        return require(key, _check) if key.get_secret_value() else key

    @field_validator("old_signing_key_files")
    @classmethod
    def _keys(cls, files: tuple[Path, ...]) -> tuple[Path, ...]:
        for path in files:
            FileSecret(path, _check)
        return files

    @field_validator("max_lifetime_hours")
    @classmethod
    def _most(cls, most: float, info: ValidationInfo) -> float:
        if valid_so_far(info, "lifetime_hours") and most < (least := info.data["lifetime_hours"]):
            raise ValueError(f"must not be less than lifetime_hours, which is {least:g}")
        return most

    @property
    def signing_keys(self) -> list[SecretStr]:
        """All of them, the one that signs first."""
        return [self.signing_key, *(FileSecret(p, _check) for p in self.old_signing_key_files)]


def _check(key: str) -> None:
    if len(key) < _KEY_CHARACTERS:
        raise ValueError(
            f"must have {_KEY_CHARACTERS} characters or more, as `pointsman launches new-key` "
            "prints them"
        )
