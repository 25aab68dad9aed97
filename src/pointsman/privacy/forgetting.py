"""Erases a person from a store, and proves it by looking through all of it afterwards.

Each step is a transaction of its own that a second run finds done or does again. What tells which
accounts are the person's, their launches, goes last: so a run that was killed can be repeated.
"""

from __future__ import annotations

import re
import secrets
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from pointsman.domain.clock import MICROSECONDS, Clock, micros
from pointsman.domain.errors import StoreUnavailable
from pointsman.domain.person import Person
from pointsman.domain.pseudonyms import Pseudonyms
from pointsman.domain.quantities import counted
from pointsman.privacy.identity_rules import IdentityRules
from pointsman.privacy.person_finder import find_person
from pointsman.privacy.person_matcher import PersonMatcher
from pointsman.privacy.refusal_hashes import hashes_of
from pointsman.privacy.row_rules import RowRules
from pointsman.privacy.survey import Survey, look_through
from pointsman.statements import identity_of, index_key
from pointsman.store.base import RefusedLearner, Row, Store

#: commits that are rewritten in one transaction, so that a daemon beside waits for milliseconds
_AT_ONCE = 25
#: seconds for which a delivery under way is waited for, and between two looks
_DELIVERY, _LOOK = 120.0, 0.2
#: what arrives while a person is erased is erased in the next round
_ROUNDS = 4
_SHA256 = re.compile(rb"[0-9a-f]{64}")


@dataclass(slots=True)
class Forgotten:
    """What was erased, or would be."""

    person: Person
    #: the person in the log and the record of operators' actions
    pseudonym: str
    #: rows and statements that were the person's, by what they are
    erased: Counter[str] = field(default_factory=Counter)
    #: of others, in which the person was named
    replaced: Counter[str] = field(default_factory=Counter)
    #: what the store's own files still have, and how often; empty where they are clean
    remains: dict[str, int] = field(default_factory=dict)
    #: rows and statements that still name the person: they arrived meanwhile
    still_naming: int = 0
    #: names of the person in what others stated, who may have the same name
    names_elsewhere: dict[str, int] = field(default_factory=dict)
    #: microseconds since the epoch; None where new input is taken
    refused_until: int | None = None
    is_dry_run: bool = False

    def __str__(self) -> str:
        """For the record: numbers, and nobody's name."""
        erased, replaced = self.erased.total(), self.replaced.total()
        words = f"{counted(erased, 'record')} erased, the name replaced in {replaced}"
        return words if self.is_proved else f"{words}; not proved"

    @property
    def is_proved(self) -> bool:
        """Nothing is left, as far as can be looked."""
        return not self.is_dry_run and not self.remains and not self.still_naming


@dataclass(frozen=True, slots=True)
class ForgetRequest:
    """Whom to forget, and how."""

    learner: str
    dry_run: bool = False
    #: seconds for which new input of the person is refused; None: it is taken
    refuse_for: float | None = None
    #: write a SQLite file again without its free space
    compact: bool = True


async def forget(
    store: Store,
    request: ForgetRequest,
    rules: IdentityRules,
    clock: Clock,
    on_step: Callable[[str], None] = lambda _words: None,
) -> Forgotten:
    """Erase a person, beside the daemons. Raises `StoreUnavailable`; then it may be run again."""
    pseudonyms = Pseudonyms(await store.installation_secret())
    on_step("looking for the person")
    person = await find_person(store, request.learner, rules)
    # new each time, so that nobody can tell from it who it was
    matcher = PersonMatcher(person, rules, f"forgotten-{secrets.token_hex(6)}")
    row_rules = RowRules(matcher, pseudonyms)
    done = Forgotten(person, pseudonyms.of(person.learner), is_dry_run=request.dry_run)
    if request.refuse_for is not None:
        now = micros(clock.now())
        done.refused_until = now + round(request.refuse_for * MICROSECONDS)
        if not request.dry_run:
            hashes = hashes_of(person, matcher.learners, pseudonyms)
            await store.refuse_learners(
                [RefusedLearner(one, done.pseudonym, now, done.refused_until) for one in hashes]
            )
    survey = await look_through(store, matcher, row_rules)
    if request.dry_run:
        _count(done, survey)
        return done
    for _ in range(_ROUNDS):
        on_step("erasing")
        await _erase(store, survey, matcher, row_rules, done, clock)
        survey = await look_through(store, matcher, row_rules)
        if survey.is_empty:
            break
    on_step("erasing attachments that no statement names")
    done.erased["attachments"] += await _sweep_attachments(store)
    if request.compact:
        on_step("compacting the store")
        await store.compact()
    on_step("searching every byte")
    survey = await look_through(store, matcher, row_rules)
    done.still_naming = survey.statements + survey.named_in
    done.still_naming += sum(map(len, (*survey.own.values(), *survey.naming.values())))
    done.names_elsewhere = dict(survey.names_elsewhere)
    texts = {text.encode("utf-8", "surrogatepass"): text for text in matcher.telling}
    longer = [word.encode() for word in survey.longer_words]
    remains = await store.raw_remains(list(texts), longer)
    done.remains = {texts[needle]: count for needle, count in remains.items()}
    return done


def _count(done: Forgotten, survey: Survey) -> None:
    done.erased["statements"] += survey.statements
    done.replaced["statements"] += survey.named_in
    for table, rows in survey.own.items():
        done.erased[table] += len(rows)
    for table, rows in survey.naming.items():
        done.replaced[table] += len(rows)
    done.names_elsewhere = dict(survey.names_elsewhere)


async def _erase(
    store: Store,
    survey: Survey,
    matcher: PersonMatcher,
    rules: RowRules,
    done: Forgotten,
    clock: Clock,
) -> None:
    done.erased["state, queue and tokens"] += await _erase_state(store, matcher, clock)
    keys = frozenset(index_key("agent", identity_of(actor)) for actor in matcher.person.actors)
    blocks = sorted(survey.blocks)
    for first in range(0, len(blocks), _AT_ONCE):
        some = blocks[first : first + _AT_ONCE]
        change = await store.change_blocks(some, matcher.decide_statement, keys)
        done.erased["statements"] += change.erased
        done.replaced["statements"] += change.replaced
    letters = [row["id"] for row in survey.own.pop("dead_letters", ())]
    done.erased["dead_letters"] += await store.drop_dead_letters(letters)
    documents = survey.own.pop("documents", [])
    launches = [row for row in documents if row["resource"] == "launch"]
    others = [row for row in documents if row["resource"] != "launch"]
    for table, rows in survey.naming.items():
        changed = await store.change_rows(table, rows, partial(rules.decide, table))
        done.replaced[table] += changed
    own = {**survey.own, "documents": others}
    for table, rows in (*own.items(), ("documents", launches)):
        erased = await store.change_rows(table, rows, partial(rules.decide, table))
        done.erased[table] += erased


async def _erase_state(store: Store, matcher: PersonMatcher, clock: Clock) -> int:
    """Wait for a delivery under way: its answer is about state that must still be there."""
    give_up = clock.monotonic() + _DELIVERY
    while True:
        erased = await store.erase_learner(sorted(matcher.learners), now=micros(clock.now()))
        if erased is not None:
            return erased
        if clock.monotonic() > give_up:
            raise StoreUnavailable(
                "something of this learner is being delivered all the time; see that the platform "
                "answers, and run it again"
            )
        await clock.sleep(_LOOK)


async def _sweep_attachments(store: Store) -> int:
    """Erase the data that no statement names: of those that were erased, by this run or before."""
    orphans: dict[bytes, str] = {}

    def take(row: Row) -> None:
        orphans[row["sha2"].lower().encode()] = row["sha2"]

    await store.scan_rows("attachments", take)
    if not orphans:
        return 0

    def look(_block: int, bodies: bytes) -> None:
        for named in _SHA256.findall(bodies.lower()):
            orphans.pop(named, None)

    await store.scan_blocks(look)
    rows = [{"sha2": sha2} for sha2 in orphans.values()]
    return await store.change_rows("attachments", rows, lambda _row: None)


def pseudonym(secret: bytes, learner: str, rules: IdentityRules) -> str:
    """How the log and the record of operators' actions call the learner."""
    return Pseudonyms(secret).of(rules.learner(learner))
