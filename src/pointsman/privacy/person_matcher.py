"""Tells where a person is named, and replaces what names them. Pure.

Identifiers are replaced wherever they are. A name, such as "Ana Pop", may be somebody else's: it
goes with what is the person's own, and is left in what is not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote

from pointsman.domain.person import Person
from pointsman.domain.records import Actor
from pointsman.domain.targets import Recipient
from pointsman.mapping.identity import UNMAPPED
from pointsman.privacy.identity_rules import (
    IdentityRules,
    actor_of_json,
    address_of,
)
from pointsman.statements import identity_of

#: characters; a shorter name of an account is found where it is an account's, not within words
_TELLING = 6
_IFIS = frozenset({"mbox", "mbox_sha1sum", "openid", "account"})
#: a mailbox or a letter may be written with an escape, so only reading it tells
_ESCAPED = re.compile(rb"\\u00[2-7]|(?i:mailto):[^\"]{0,300}%")
_SIGNATURE = "http://adlnet.gov/expapi/attachments/signature"


class PersonMatcher:
    """One person. `stand_in` is the name that replaces theirs in what others have stated."""

    def __init__(self, person: Person, rules: IdentityRules, stand_in: str) -> None:
        self.person = person
        self._rules = rules
        self._stand_in = stand_in
        self._identities = {identity_of(actor) for actor in person.actors}
        self._shared = {(reg, identity_of(actor)) for reg, actor in person.shared}
        #: learners as state, tokens and launches name them
        self.learners = frozenset(
            {person.learner, *(Recipient.learner(name).id for name in self._learner_names())}
        )
        #: texts that name this person and nobody else, longest first, in lower case
        self.telling = tuple(sorted(set(self._telling()), key=lambda text: (-len(text), text)))
        self._pattern = _pattern(self.telling)
        self._parts = re.compile("|".join(map(re.escape, self.telling)) or r"(?!)")
        accounts = (actor.value for actor in person.actors if actor.kind == "account")
        hints = {*self.telling, *(name.lower() for name in accounts)}
        self._hints = tuple(hint.encode("utf-8", "surrogatepass") for hint in hints if hint)

    def _learner_names(self) -> Iterator[str]:
        for actor in self.person.actors:
            learner = self._rules.resolver.resolve(actor)
            # what an account is mapped to may be another's only if the operator's table says so
            yield learner

    def _telling(self) -> Iterator[str]:
        for learner in self.learners:
            if len(learner) >= _TELLING:
                yield from _spellings(learner.lower())
        for actor in self.person.actors:
            if actor.kind == "account":
                if len(actor.value) >= _TELLING:
                    yield from _spellings(actor.value.lower())
                yield f"{actor.home_page}{UNMAPPED}{actor.value}".lower()
            elif actor.kind == "mbox":
                yield from _spellings(address_of(actor))
            else:
                yield from _spellings(actor.value.lower())

    def is_learner(self, text: str) -> bool:
        """Whether an operator means this person by it, however it is written."""
        return text in self.learners or self._rules.learner(text) in self.learners

    def is_theirs(self, actor: Actor) -> bool:
        """Whether an identifier is this person's."""
        return identity_of(actor) in self._identities or (
            self._rules.resolver.resolve(actor) in self.learners
        )

    def is_agent(self, value: Any) -> bool:
        """Whether a JSON object is an agent or group with an identifier of this person."""
        if not isinstance(value, dict) or _IFIS.isdisjoint(value):
            return False
        actor = actor_of_json(value)
        return actor is not None and self.is_theirs(actor)

    def is_own_statement(self, statement: Any) -> bool:
        """Whether it is about this person, and nobody else is its actor."""
        if not isinstance(statement, dict):
            return False
        actor = statement.get("actor")
        if self.is_agent(actor):
            return True
        context = statement.get("context")
        registration = context.get("registration") if isinstance(context, dict) else None
        if not self._shared or not isinstance(registration, str) or not isinstance(actor, dict):
            return False
        shared = actor_of_json(actor)
        return shared is not None and (registration.lower(), identity_of(shared)) in self._shared

    def may_name(self, content: bytes) -> bool:
        """A quick look: False where reading it would find nothing."""
        lower = content.lower()
        return any(hint in lower for hint in self._hints) or _ESCAPED.search(lower) is not None

    def names(self, text: str) -> bool:
        """Whether words name this person."""
        return self._pattern.search(text) is not None

    def longer_words(self, text: str) -> list[str]:
        """Words of which an identifier of this person is a part, and which are somebody else's."""
        lower = text.lower()
        if not any(part in lower for part in self.telling):
            return []
        words = (_word_around(lower, match) for match in self._parts.finditer(lower))
        return [word for word in words if not self.names(word)]

    def without_person(self, text: str) -> str:
        """Words with the stand-in for this person."""
        return self._pattern.sub(self._stand_in, text)

    def decide_statement(self, statement: Any) -> Any:
        """None for the person's own, the very same where they are not named, else without them."""
        if self.is_own_statement(statement):
            return None
        new = self.replace(statement)
        if (
            new is not statement
            and isinstance(new, dict)
            and isinstance(attachments := new.get("attachments"), list)
        ):
            # what was signed names the person, and no longer fits
            new["attachments"] = [
                one
                for one in attachments
                if not (isinstance(one, dict) and one.get("usageType") == _SIGNATURE)
            ]
        return new

    def replace(self, value: Any) -> Any:
        """JSON without the person; the very same where they are not named."""
        if isinstance(value, str):
            new = self._pattern.sub(self._stand_in, value)
            return value if new == value else new
        if isinstance(value, list):
            items = [self.replace(item) for item in value]
            same = all(new is old for new, old in zip(items, value, strict=True))
            return value if same else items
        if not isinstance(value, dict):
            return value
        if self.is_agent(value):
            account = {"homePage": self._rules.home_page, "name": self._stand_in}
            kind = {"objectType": value["objectType"]} if "objectType" in value else {}
            return {**kind, "account": account}
        members = {self.replace(name): self.replace(inner) for name, inner in value.items()}
        same = all(
            new is old
            for pair, old_pair in zip(members.items(), value.items(), strict=False)
            for new, old in zip(pair, old_pair, strict=True)
        )
        return value if same and len(members) == len(value) else members


def _word_around(text: str, match: re.Match[str]) -> str:
    """With what stands before and behind it, as an address or a name may have it."""
    start, end = match.span()
    while start and (text[start - 1].isalnum() or text[start - 1] in "._+%-"):
        start -= 1
    while end < len(text) and (text[end].isalnum() or text[end] in "._-"):
        end += 1
    return text[start:end]


def _spellings(text: str) -> Iterator[str]:
    """As it is, and as a part of an address on the web."""
    yield text
    yield quote(text, safe="").lower()
    yield quote(text, safe="@:/").lower()


def _pattern(texts: Iterable[str]) -> re.Pattern[str]:
    """Whole words only: `joana@example.com` is not `ana@example.com`."""
    words = "|".join(map(re.escape, texts)) or r"(?!)"
    # within an address on the web an escape, which ends in a letter or digit, may stand before it
    before = r"(?:(?<![\w.+-])|(?<=%[0-9a-f][0-9a-f]))"
    return re.compile(rf"{before}(?:mailto:)?(?:{words})(?![\w-]|\.\w)", re.IGNORECASE)
