"""A table of learners that an operator wrote, looked up as statements name learners. Pure.

A mailbox is its address in lower case there, so a key of a table is too, with or without `mailto:`.
Any other name stands for itself.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from typing import Generic, TypeVar

from pointsman.domain.iri import is_mailbox

T = TypeVar("T")

_MAILTO = "mailto:"


def learner_name(key: str) -> str:
    """The learner that a key names."""
    name = key.strip()
    if name[: len(_MAILTO)].lower() == _MAILTO:
        name = name[len(_MAILTO) :]
    return name.lower() if is_mailbox(name) else name


def _outline(name: str) -> str:
    """What is left without all that a reader does not see or mind."""
    folded = unicodedata.normalize("NFKC", name).casefold().removeprefix(_MAILTO)
    return "".join(
        character for character in folded if unicodedata.category(character)[0] not in "CZ"
    )


class LearnerTable(Generic[T]):
    """Values by learner."""

    def __init__(self, entries: Mapping[str, T] | None = None) -> None:
        entries = entries or {}
        self._exact = dict(entries)
        self._by_name = {learner_name(key): value for key, value in entries.items()}
        self._by_outline = {_outline(key): key for key in entries}

    def __len__(self) -> int:
        return len(self._exact)

    def find(self, learner: str) -> T | None:
        """The value of this learner: its own key's, or that of a key that names it otherwise."""
        value = self._exact.get(learner)
        return value if value is not None else self._by_name.get(learner_name(learner))

    def near_miss(self, learner: str) -> str:
        """`; …` naming a key that looks like this learner and is not; "" where there is none."""
        key = self._by_outline.get(_outline(learner))
        return "" if key is None else f"; its key {key!a} is nearly so"

    def names(self) -> set[str]:
        """Every name that something is found under."""
        return {*self._exact, *self._by_name}


def unmatched_keys(keys: Iterable[str], known: Iterable[str] = ()) -> dict[str, str]:
    """The keys that nobody is ever found under, each with the reason.

    `known` are keys that are right for another reason.
    """
    right = set(known)
    problems: dict[str, str] = {}
    first: dict[str, str] = {}
    for key in keys:
        name = learner_name(key)
        unseen = [c for c in name if unicodedata.category(c)[0] in "CZ"]
        if name in first:
            problems[key] = f"is the same learner as {first[name]!r}, and only the last one counts"
        elif not name:
            problems[key] = "names nobody"
        elif key in right:
            pass
        elif unseen and is_mailbox(name):
            shown = ", ".join(f"U+{ord(character):04X}" for character in unseen)
            problems[key] = f"has {shown} in it, which no address has"
        elif not is_mailbox(name) and "|" not in name and ":" not in name and not _is_sha1(name):
            problems[key] = (
                "is no e-mail address, and no template of learners.accounts makes such a name"
            )
        first.setdefault(name, key)
    return problems


def _is_sha1(name: str) -> bool:
    return len(name) == 40 and all(c in "0123456789abcdef" for c in name)  # noqa: PLR2004
