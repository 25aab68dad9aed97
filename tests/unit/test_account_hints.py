"""A learner without an authToken whose account nobody mapped: the reason says so."""

from __future__ import annotations

import pytest

from pointsman.domain.errors import NoToken
from pointsman.platforms.tokens.inline import InlineTokens
from pointsman.wiring.account_hints import AccountHints

TOKENS = AccountHints(
    InlineTokens({}), ["https://sso.example.com", "https://hr.example.com/people"]
)


@pytest.mark.parametrize(
    ("learner", "words"),
    [
        ("http://sso.example.com|ana", "but one has https://sso.example.com: was that meant?"),
        ("https://sso.example.com:8443|a", "but one has https://sso.example.com: was that meant?"),
        ("https://hr.example.com/people/|7", "but one has https://hr.example.com/people: was"),
        ("https://sso.exmaple.com|ana", "but one has https://sso.example.com: was that meant?"),
        ("https://x.org|ana", "no learners.accounts has the home_page https://x.org"),
    ],
)
@pytest.mark.parametrize("ask", ["token", "user_id"])
async def test_the_reason_points_at_the_home_page_that_was_meant(
    learner: str, words: str, ask: str
) -> None:
    with pytest.raises(NoToken) as refused:
        await getattr(TOKENS, ask)(learner)
    assert "has none for" in str(refused.value) or "learners" in str(refused.value)
    assert words in str(refused.value)


@pytest.mark.parametrize("learner", ["ana@example.com", "ebd3|1", "17"])
async def test_a_learner_who_is_no_account_gets_no_hint(learner: str) -> None:
    with pytest.raises(NoToken) as refused:
        await TOKENS.token(learner)
    assert "home_page" not in str(refused.value)
