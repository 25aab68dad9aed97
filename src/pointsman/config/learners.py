"""[learners]: who an xAPI actor is on the platform, and where authTokens come from."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
    model_validator,
)

from pointsman.config.values import (
    ExistingFile,
    OptionalSecret,
    SecretFile,
    Section,
    TemplateText,
    given,
    repeated,
    web_address,
)
from pointsman.mapping.template import Template


def _only(variable: str, text: str) -> str:
    if Template(text).variables != (variable,):
        raise ValueError(f"must contain {{{variable}}} once and no other variable")
    return text


class Account(Section):
    """[[learners.accounts]]: accounts of one system (xAPI Part 2 section 2.4.2.4).

    Other actors need no setting: a mailbox is its address in lower case, and any other
    identifier stands for itself.
    """

    home_page: str = Field(min_length=1)
    #: the platform's learner, made from the account's `{name}`
    learner: Annotated[TemplateText, AfterValidator(lambda text: _only("name", text))]


class TokenService(Section):
    """[learners.tokens.service]: an HTTP service of the customer's.

    `GET url` answers 200 with `{"authToken": "...", "expiresIn": 3600}` (seconds, optional), or
    404 when it has none for this learner.
    """

    #: with `{learner}`, percent-encoded when it is filled in
    url: Annotated[
        TemplateText, AfterValidator(web_address), AfterValidator(lambda t: _only("learner", t))
    ]
    bearer_file: SecretFile = None
    bearer: OptionalSecret = None
    timeout_seconds: float = Field(default=10, gt=0, le=300)


class Entry(Section):
    """What `inline` says of one learner; a string alone is the authToken."""

    auth_token: SecretStr | None = None
    #: the learner's id on the platform, which meeting attendance is sent with
    user_id: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _token_alone(cls, entry: Any) -> Any:
        return {"auth_token": entry} if isinstance(entry, str | SecretStr) else entry


class Tokens(Section):
    """[learners.tokens]: exactly one place where authTokens come from."""

    #: learner -> authToken, or both parts of an entry
    inline: dict[str, Entry] | None = None
    #: a JSON object, learner -> authToken, read again when it changes
    file: ExistingFile | None = None
    service: TokenService | None = None

    @field_validator("inline")
    @classmethod
    def _not_empty(cls, inline: dict[str, Entry] | None) -> dict[str, Entry] | None:
        for learner, entry in (inline or {}).items():
            if entry.auth_token is None and entry.user_id is None:
                raise ValueError(f"says nothing of {learner!r}")
            if entry.auth_token is not None and not entry.auth_token.get_secret_value():
                raise ValueError(f"has an empty token for {learner!r}")
        return inline

    @field_validator("service")
    @classmethod
    def _exactly_one(
        cls, service: TokenService | None, info: ValidationInfo
    ) -> TokenService | None:
        if given(info, "inline", "file"):
            values = {"inline": info.data["inline"], "file": info.data["file"], "service": service}
            chosen = [key for key, value in values.items() if value is not None]
            if not chosen:
                raise ValueError("is missing, and so are inline and file; give exactly one of them")
            if len(chosen) > 1:
                raise ValueError(f"{' and '.join(chosen)} are given; keep exactly one of them")
        return service

    @property
    def kind(self) -> Literal["inline", "file", "service"]:
        if self.inline is not None:
            return "inline"
        return "file" if self.file is not None else "service"


class Learners(Section):
    """[learners]: accounts and tokens."""

    accounts: tuple[Account, ...] = ()
    tokens: Tokens

    @model_validator(mode="before")
    @classmethod
    def _say_what_tokens_lack(cls, data: Any) -> Any:
        return {"tokens": {}, **data} if isinstance(data, dict) else data

    @field_validator("accounts")
    @classmethod
    def _one_template_each(cls, accounts: tuple[Account, ...]) -> tuple[Account, ...]:
        twice = repeated(account.home_page for account in accounts)
        if twice is not None:
            raise ValueError(f"has the home_page {twice!r} twice")
        return accounts
