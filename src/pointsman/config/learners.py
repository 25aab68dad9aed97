"""Settings [learners]: who an xAPI actor is on the platform, and where authTokens come from."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    Field,
    field_validator,
    model_validator,
)

from pointsman.domain.iri import comparable
from pointsman.platforms.tokens.settings import TokenSettings
from pointsman.setting_types import (
    Section,
    TemplateText,
    only_variable,
    repeated,
)


class AccountSettings(Section):
    """[[learners.accounts]]: accounts of one system (xAPI Part 2 section 2.4.2.4).

    Other actors need no setting: a mailbox is its address in lower case, and any other
    identifier is the learner's name as it is.
    """

    #: the home page of the accounts, as statements give it
    home_page: str = Field(min_length=1)
    #: the platform's learner, made from the account's `{name}`
    learner: Annotated[TemplateText, AfterValidator(lambda text: only_variable("name", text))]


class LearnerSettings(Section):
    """[learners]: accounts and tokens."""

    #: how accounts of other systems become learners of the platform
    accounts: tuple[AccountSettings, ...] = ()
    #: where authTokens come from
    tokens: TokenSettings

    @model_validator(mode="before")
    @classmethod
    def _say_what_tokens_lack(cls, data: Any) -> Any:
        return {"tokens": {}, **data} if isinstance(data, dict) else data

    @field_validator("accounts")
    @classmethod
    def _one_template_each(
        cls, accounts: tuple[AccountSettings, ...]
    ) -> tuple[AccountSettings, ...]:
        twice = repeated(comparable(account.home_page) for account in accounts)
        if twice is not None:
            raise ValueError(f"has the home_page {twice!r} twice")
        return accounts
