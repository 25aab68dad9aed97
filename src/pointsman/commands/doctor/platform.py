"""Asks the platform: the key, a learner's token, clock, quota, and whether it has what rules name.

What is spent is paid from the budget, like all else: two requests, and a few points.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from itertools import chain
from typing import TypeVar

from pointsman import wiring
from pointsman.commands.doctor.store import StoreExamination
from pointsman.config import Settings
from pointsman.delivery.budget.base import Budget, PaidAnswer, send_paid
from pointsman.doctor import NotChecked, Result
from pointsman.doctor.catalogue import RuleNames, judge_rules, judge_token, to_ask
from pointsman.doctor.platform import PlatformFacts, judge_platform
from pointsman.domain.clock import Clock
from pointsman.domain.desired_state import Desired
from pointsman.domain.errors import ConfigError, NoToken, Retry
from pointsman.domain.park_codes import ParkCode
from pointsman.domain.targets import ReadBackPlace
from pointsman.platforms.base import LoginAnswer, RequestOutcome
from pointsman.platforms.examiner import Examiner, LookUp
from pointsman.platforms.tokens.file import read_token_table
from pointsman.platforms.tokens.learner_table import learner_name
from pointsman.store.base import Store
from pointsman.text_files import read_text

A = TypeVar("A", bound=PaidAnswer)

_TOKEN = "learner's token"  # noqa: S105 - a check's name
#: refused state that is looked at; of what was delivered lately, learners
_REFUSED, _DELIVERED = 200, 3
_NOT_FOUND = "refused: NOT_FOUND"
#: of the time of all questions; one that hangs is named while there is time left to say so
_ONE_ANSWER = 0.4


class PlatformExamination:
    """Run it once; `points` and `requests` are what it spent."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        store: StoreExamination,
        learner: str | None,
        seconds: float,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._examined = store
        self._learner = learner
        self._seconds = seconds
        self._budget: Budget | None = None
        self.points = 0
        self.requests = 0

    async def run(self) -> AsyncIterator[Result]:
        async with AsyncExitStack() as stack:
            examiner = wiring.helium_examiner(
                self._settings, self._clock, self._seconds * _ONE_ANSWER
            )
            stack.push_async_callback(examiner.close)
            try:
                await self._open_budget(stack)
            except Retry:
                self._budget = None  # what is wrong with the store is said there
            asked_at = self._clock.now()
            probe = await self._paid(1, examiner.probe)
            if probe is None:
                yield NotChecked("platform", "the budget leaves nothing for it in this window")
                return
            settings = self._settings.platform
            facts = PlatformFacts(
                settings.url,
                probe.answer,
                asked_at,
                self._clock.now(),
                probe.server_time,
                settings.limits.points_per_minute,
            )
            for finding in judge_platform(facts):
                yield finding
            if probe.answer.outcome is not RequestOutcome.ANSWERED:
                yield NotChecked("rules", "the platform does not answer as it has to")
                return
            async for result in self._of_learner(examiner):
                yield result

    async def _of_learner(self, examiner: Examiner) -> AsyncIterator[Result]:
        """The token of a learner, and with it what the rules name."""
        rules = rule_names(self._settings)
        seen, refused = await self._known(self._examined.store)
        places = to_ask(rules, seen)
        look_up: LookUp | None = None
        learner, token = await self._token()
        if learner is None:
            yield NotChecked(_TOKEN, token)
        else:
            answered = await self._paid(
                examiner.price(places), lambda: examiner.look_up(token, places)
            )
            if answered is None:
                yield NotChecked(_TOKEN, "the budget leaves nothing for it in this window")
            else:
                yield judge_token(learner, answered)
                if answered.answer.outcome is RequestOutcome.ANSWERED:
                    look_up = answered
        for result in judge_rules(rules, places, look_up, refused):
            yield result

    async def _known(self, store: Store | None) -> tuple[list[ReadBackPlace], Sequence[Desired]]:
        """Places of what was delivered lately; and what the platform said it has not."""
        if store is None:
            return [], []
        try:
            now = round(self._clock.now() * 1e6)
            delivered = await store.delivered_sample(
                limit=_DELIVERED, settled_before=now, again_before=now
            )
            refused = await store.parked(
                codes=[ParkCode.REFUSED_BY_PLATFORM], reason_prefix=_NOT_FOUND, limit=_REFUSED
            )
        except Retry:
            return [], []
        states = chain.from_iterable(delivered.values())
        places = [state.read_back for state in states if state.read_back is not None]
        return list(dict.fromkeys(places)), refused

    async def _token(self) -> tuple[str | None, str]:
        """A learner and the authToken; or None, and why there is none."""
        learner = self._learner or await self._somebody()
        if learner is None:
            return None, "no learner is known yet whose token could be shown; --learner names one"
        if self._settings.learners.tokens.login is not None:
            return None, "learners.tokens.login: logging in here could end a token that is in use"
        store = self._examined.store
        needs_store = self._settings.launches is not None
        if needs_store and store is None:
            return None, f"{self._examined.why_not}, which has the tokens that launches brought"
        sources = wiring.token_sources(
            self._settings,
            store or wiring.store(self._settings, self._clock, beside=True),
            self._clock,
            lambda _learners: None,
            _no_login,
        )
        await sources.provider.open()
        try:
            return learner, await sources.provider.token(learner)
        except (NoToken, Retry) as error:
            return None, f"{learner}: {error}"
        finally:
            await sources.provider.close()

    async def _somebody(self) -> str | None:
        tokens = self._settings.learners.tokens
        if tokens.inline:
            return learner_name(next(iter(tokens.inline)))
        if tokens.file is not None:
            try:
                known, _ = read_token_table(read_text(tokens.file).encode())
            except (OSError, ValueError):
                return None  # the configuration's warnings say so
            return learner_name(next(iter(known))) if known else None
        if self._examined.store is None:
            return None
        now = round(self._clock.now() * 1e6)
        try:
            sample = await self._examined.store.delivered_sample(
                limit=1, settled_before=now, again_before=now
            )
        except Retry:
            return None
        return next(iter(sample), None)

    async def _open_budget(self, stack: AsyncExitStack) -> None:
        store = self._examined.store
        if store is None:
            return
        budget = wiring.budget_beside(
            self._settings, self._clock, store, daemon_runs=bool(self._examined.replicas)
        )
        if budget is not None:
            await budget.open()
            stack.push_async_callback(budget.close)
            self._budget = budget

    async def _paid(self, points: int, send: Callable[[], Awaitable[A]]) -> A | None:
        if self._budget is None:
            answer: A | None = await send()
        else:
            give_up_at = self._clock.monotonic() + self._seconds / 2
            answer = await send_paid(self._budget, points, send, give_up_at=give_up_at)
        if answer is not None:
            self.points += points
            self.requests += 1
        return answer


def rule_names(settings: Settings) -> list[RuleNames]:
    """What the rules call things, as templates."""
    return [
        RuleNames(
            rule.name,
            "" if rule.course is None else f"course_{rule.course[0]}",
            "" if rule.course is None else rule.course[1],
            rule.audit_course_id or rule.course_id or "",
            rule.learning_path_slug or "",
            rule.topic_id or "",
        )
        for rule in settings.rules
    ]


async def _no_login(_email: str, _password: str) -> LoginAnswer:
    raise ConfigError("nobody is logged in here")
