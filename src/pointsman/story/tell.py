"""Asks the store for all that one story needs, and tells it. Reads only."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from pointsman.domain.clock import Clock, micros
from pointsman.domain.pauses import Pause
from pointsman.domain.pseudonyms import Pseudonyms
from pointsman.domain.records import Actor, InputOutcome
from pointsman.domain.statement_reading import StatementReading
from pointsman.mapping.proposals import propose
from pointsman.statements.actor_identity import identity_of
from pointsman.statements.query import key
from pointsman.store.base import Search, Store, StoredStatement
from pointsman.store.history_records import LearnerHistory
from pointsman.store.statement_records import StoredDeadLetter
from pointsman.story.facts import Facts, InputFact, QuotaFact
from pointsman.story.question import Question
from pointsman.story.records import Story
from pointsman.story.telling import story_of
from pointsman.story.words import time_words

#: rows of the history, dead letters and deliveries of others that are read
_ROWS, _LETTERS, _TURNS = 200, 20, 20
#: statements that are looked at; those of the inputs that are shown, and not more
_STATEMENTS = 30
#: what counts for nothing, or may count by now
_UNCOUNTED = frozenset({InputOutcome.UNMATCHED, InputOutcome.NO_EFFECT, InputOutcome.DEAD})

#: how a learner gets an authToken, by name; empty for no way that a person has
TokenHint = Callable[[str], str]


class Identities(Protocol):
    """Who somebody is."""

    def learner(self, text: str) -> str:
        """The platform's learner that an operator means."""
        ...

    def actors_of(self, learner: str) -> Iterable[Actor]:
        """How statements may name this learner."""
        ...


class StatementReader(Protocol):
    """Decides about stored statements with the rules of now."""

    async def prepare(self, bodies: Iterable[bytes]) -> None: ...

    def reading(self, stored: StoredStatement) -> StatementReading | None: ...


class Teller:
    """Tells stories from one store. `points` and `requests` are our part of a quota window."""

    def __init__(
        self,
        store: Store,
        reader: StatementReader,
        identities: Identities,
        clock: Clock,
        *,
        points: int,
        requests: int,
        token_hint: TokenHint = lambda _learner: "",
        unconfirmed_after: int = 3_600_000_000,
    ) -> None:
        self._store = store
        self._reader = reader
        self._identities = identities
        self._clock = clock
        self._points = points
        self._requests = requests
        self._token_hint = token_hint
        self._unconfirmed_after = unconfirmed_after

    async def tell(self, question: Question, *, limit: int = 40) -> Story:
        """The story, with the newest `limit` events. Raises `StoreUnavailable`."""
        return story_of(await self.facts(question), limit=limit)

    async def facts(self, question: Question) -> Facts:
        """All that is read to answer. Raises `StoreUnavailable`."""
        learner, asked = await self._learner(question)
        question = replace(question, learner=learner)
        # state after inputs: what arrives in between is then told as a state at least
        found = await self._found(question, learner, asked)
        history = (
            await self._store.learner_history(learner, limit=_ROWS)
            if learner
            else LearnerHistory("", (), (), (), ())
        )
        inputs = await self._inputs(question, found, history)
        activities = [
            fact.reading.activity
            for fact in inputs.values()
            if fact.reading is not None and fact.outcome is InputOutcome.UNMATCHED
        ]
        pauses = await self._store.pauses()
        return Facts(
            question=question,
            learner=learner,
            now=micros(self._clock.now()),
            history=history,
            inputs=inputs,
            dead_letters=tuple(await self._letters(question, learner)),
            newest_turns=tuple(await self._store.newest_turns(limit=_TURNS)),
            quota=await self._quota(),
            proposals={activity: propose([activity])[0] for activity in set(activities)},
            token_cure=self._token_hint(learner),
            platform={one.place: one.facts for one in await self._store.facts_of(learner)},
            unconfirmed_after=self._unconfirmed_after,
            forgotten_until=await self._forgotten_until(learner),
            paused=next((_since(pause) for pause in pauses if pause.kind is None), ""),
            paused_kinds={pause.kind: _since(pause) for pause in pauses if pause.kind is not None},
        )

    async def _learner(self, question: Question) -> tuple[str, StoredStatement | None]:
        """Whom it is about, and the statement that is asked for."""
        asked = None
        if question.statement_id:
            asked = await self._store.statement(question.statement_id.lower())
        if question.learner:
            return self._identities.learner(question.learner), asked
        if asked is None:
            return "", None
        await self._reader.prepare([asked.body])
        reading = self._reader.reading(asked)
        if reading is None:
            return "", asked
        for change in reading.decision.changes:
            if not change.recipient.is_meeting:
                return change.recipient.id, asked
        return ("" if reading.actor is None else self._name(reading.actor)), asked

    def _name(self, actor: Actor) -> str:
        text = f"{actor.home_page}|{actor.value}" if actor.kind == "account" else actor.value
        return self._identities.learner(text)

    async def _found(
        self, question: Question, learner: str, asked: StoredStatement | None
    ) -> dict[str, StoredStatement]:
        """The statement that is asked for, or the newest about the learner, and the activity."""
        if question.statement_id:
            return {} if asked is None else {asked.statement_id: asked}
        return {stored.statement_id: stored async for stored in self._search(question, learner)}

    async def _inputs(
        self, question: Question, found: Mapping[str, StoredStatement], history: LearnerHistory
    ) -> dict[str, InputFact]:
        """What is told of statements: those that are asked for, that moved something, or did not.

        Of those that asked for a change the newest, for their words alone.
        """
        outcomes = await self._store.outcomes(list(found))
        if question.names_inputs:
            return await self._facts_of(found.values(), outcomes, history.learner)
        newest = dict.fromkeys(
            move.statement_id for move in reversed(history.moves) if question.is_about(move.target)
        )
        shown = list(newest)[:_STATEMENTS]
        wanted = [
            stored
            for name, stored in found.items()
            if name in shown or outcomes.get(name) in _UNCOUNTED
        ]
        older = [await self._store.statement(name) for name in shown if name not in found]
        wanted += [stored for stored in older if stored is not None]
        missing = [stored.statement_id for stored in wanted if stored.statement_id not in outcomes]
        outcomes |= await self._store.outcomes(missing)
        return await self._facts_of(wanted, outcomes, history.learner)

    async def _search(self, question: Question, learner: str) -> AsyncIterator[StoredStatement]:
        seen: set[str] = set()
        about = (key("activity", question.activity),) if question.activity else ()
        for actor in self._identities.actors_of(learner) if learner else ():
            keys = (key("agent", identity_of(actor)), *about)
            page = await self._store.search(Search(keys), limit=_STATEMENTS)
            for _, stored in page.found:
                if stored.statement_id not in seen:
                    seen.add(stored.statement_id)
                    yield stored

    async def _facts_of(
        self,
        statements: Collection[StoredStatement],
        outcomes: Mapping[str, InputOutcome],
        learner: str,
    ) -> dict[str, InputFact]:
        await self._reader.prepare(stored.body for stored in statements)
        facts = {}
        for stored in statements:
            outcome = outcomes.get(stored.statement_id)
            reading = self._reader.reading(stored)
            if outcome is None or (reading is not None and not self._is_theirs(reading, learner)):
                continue
            facts[stored.statement_id] = InputFact(
                stored.statement_id, stored.source, stored.received_at, outcome, reading
            )
        return facts

    def _is_theirs(self, reading: StatementReading, learner: str) -> bool:
        """An index finds a statement by everybody in it: the instructor and the team too."""
        changed = {change.recipient.id for change in reading.decision.changes}
        if learner in changed or reading.actor is None:
            return True
        theirs = set(self._identities.actors_of(learner))
        return reading.actor in theirs or self._name(reading.actor) == learner

    async def _letters(self, question: Question, learner: str) -> Sequence[StoredDeadLetter]:
        if question.names_inputs or not learner:
            return []
        return await self._store.dead_letters_with(learner, limit=_LETTERS)

    async def _quota(self) -> QuotaFact | None:
        window = await self._store.window()
        if window is None:
            return None
        return QuotaFact(
            window.ends_at, self._points - window.points, self._requests - window.requests
        )

    async def _forgotten_until(self, learner: str) -> int | None:
        """Until when inputs of a forgotten person are refused."""
        refused = await self._store.refused_learners()
        if not refused or not learner:
            return None
        name = Pseudonyms(await self._store.installation_secret()).of(learner)
        now = micros(self._clock.now())
        return next((one.until for one in refused if one.hash == name and one.until > now), None)


def _since(pause: Pause) -> str:
    return f"since {time_words(pause.since)}{pause.reason and ': '}{pause.reason}"
