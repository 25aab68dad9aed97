"""Lets each sender have so much under way at once; what else it asks waits, nobody else does."""

from __future__ import annotations

import asyncio
from weakref import WeakValueDictionary

from pointsman.sources.http.authorization import AuthorizedSender


class SenderTurns:
    """`of_learner` at once of a learner, however many launches it has; `of_source` of a source."""

    def __init__(self, *, of_learner: int, of_source: int) -> None:
        self._of_learner, self._of_source = of_learner, of_source
        self._turns: WeakValueDictionary[tuple[bool, str], asyncio.Semaphore] = (
            WeakValueDictionary()
        )

    def of(self, sender: AuthorizedSender) -> asyncio.Semaphore:
        """To be held while it is under way."""
        launch = sender.launch
        if launch is None:
            whose, most = (False, sender.source), self._of_source
        else:
            whose, most = (True, launch.learner.lower()), self._of_learner
        turns = self._turns.get(whose)
        if turns is None:
            turns = self._turns[whose] = asyncio.Semaphore(most)
        return turns
