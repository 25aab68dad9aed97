"""Settings [learners.tokens]: where authTokens come from, and how they are kept."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    Field,
    GetJsonSchemaHandler,
    SecretStr,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from pointsman.domain.header_value import header_problem, header_value
from pointsman.outgoing.settings import OutgoingSettings
from pointsman.secret_values import FileSecret, require
from pointsman.setting_types import (
    ExistingFile,
    FileToCome,
    OptionalSecret,
    SecretFile,
    Section,
    TemplateText,
    only_variable,
    valid_so_far,
    web_address,
)

_KEY_BYTES = 32


class TokenServiceSettings(OutgoingSettings):
    """[learners.tokens.service]: an HTTP service of the customer's.

    `GET url` answers 200 with `{"authToken": "...", "expiresIn": 3600}` (seconds, optional), or
    404 when it has none for this learner.
    """

    #: with `{learner}`, percent-encoded when it is filled in
    url: Annotated[
        TemplateText,
        AfterValidator(web_address),
        AfterValidator(lambda t: only_variable("learner", t)),
    ]
    #: a file with the bearer token that the service asks for
    bearer_file: SecretFile = None
    #: the bearer token that the service asks for
    bearer: OptionalSecret = None
    #: for one request
    timeout_seconds: float = Field(default=10, gt=0, le=300)

    @field_validator("bearer")
    @classmethod
    def _header_safe(cls, bearer: SecretStr | None) -> SecretStr | None:
        return None if bearer is None else require(bearer, _header_value)


class LoginSettings(Section):
    """[learners.tokens.login]: logging in with the learners' passwords, on a sandbox."""

    #: a JSON object, learner -> password, read again when it changes
    passwords_file: ExistingFile


class TokenEntry(Section):
    """What `inline` says of one learner; a string alone is the authToken."""

    #: the learner's authToken
    auth_token: SecretStr | None = None
    #: the learner's id on the platform, which meeting attendance is sent with
    user_id: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _token_alone(cls, entry: Any) -> Any:
        return {"auth_token": entry} if isinstance(entry, str | SecretStr) else entry

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        schema = handler(core_schema)
        handler.resolve_ref_schema(schema)["type"] = ["object", "string"]
        return schema


class TokenSettings(Section):
    """[learners.tokens]: exactly one place where authTokens come from, beside launches."""

    #: they come with launches, and from nowhere else
    launches: bool = False
    #: learner -> authToken, or both parts of an entry
    inline: dict[str, TokenEntry] | None = None
    #: a JSON object, learner -> authToken, read again when it changes; it may come later
    file: FileToCome | None = None
    #: logging in with the learners' passwords, on a sandbox
    login: LoginSettings | None = None
    #: a service of yours that is asked for a learner's authToken
    service: TokenServiceSettings | None = None
    #: fetched tokens are kept in the store, encrypted with this; they are not kept without it
    encryption_key_file: SecretFile = None
    #: what stored authTokens are encrypted with
    encryption_key: OptionalSecret = None
    #: files of keys that are no longer used to encrypt, but still open what they did
    old_encryption_key_files: tuple[ExistingFile, ...] = ()

    @field_validator("inline")
    @classmethod
    def _not_empty(cls, inline: dict[str, TokenEntry] | None) -> dict[str, TokenEntry] | None:
        for learner, entry in (inline or {}).items():
            if entry.auth_token is None and entry.user_id is None:
                raise ValueError(f"says nothing of {learner!r}")
            if entry.auth_token is not None:
                problem = header_problem(entry.auth_token.get_secret_value())
                if problem is not None:
                    raise ValueError(f"has a token for {learner!r} that {problem}")
        return inline

    @field_validator("service")
    @classmethod
    def _exactly_one(
        cls, service: TokenServiceSettings | None, info: ValidationInfo
    ) -> TokenServiceSettings | None:
        if valid_so_far(info, "launches", "inline", "file", "login"):
            values = {key: info.data[key] for key in ("inline", "file", "login")}
            values |= {"service": service, "launches = true": info.data["launches"] or None}
            chosen = [key for key, value in values.items() if value is not None]
            if not chosen:
                raise ValueError(
                    "is missing, and so are inline, file and login; give exactly one of them, or "
                    "launches = true where all of them come with launches"
                )
            if len(chosen) > 1:
                raise ValueError(f"{' and '.join(chosen)} are given; keep exactly one of them")
        return service

    @field_validator("encryption_key")
    @classmethod
    def _a_key(cls, key: SecretStr | None) -> SecretStr | None:
        return None if key is None else require(key, _fernet_key)

    @field_validator("old_encryption_key_files")
    @classmethod
    def _keys(cls, files: tuple[Path, ...]) -> tuple[Path, ...]:
        for path in files:
            FileSecret(path, _fernet_key)
        return files

    @property
    def encryption_keys(self) -> list[SecretStr]:
        """All keys, the one that encrypts first; empty where tokens are not kept."""
        if self.encryption_key is None:
            return []
        old = (FileSecret(path, _fernet_key) for path in self.old_encryption_key_files)
        return [self.encryption_key, *old]

    @property
    def kind(self) -> Literal["inline", "file", "service", "login", "launches"]:
        if self.launches:
            return "launches"
        if self.inline is not None:
            return "inline"
        if self.file is not None:
            return "file"
        return "service" if self.service is not None else "login"


def _header_value(text: str) -> None:
    header_value(text)


def _fernet_key(text: str) -> None:
    try:
        length = len(base64.urlsafe_b64decode(text))
    except ValueError:
        length = 0
    if length != _KEY_BYTES:
        raise ValueError("must be a key as `pointsman tokens new-key` prints it")
