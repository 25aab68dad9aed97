"""Which refusals make a run, in the order in which their requests were sent. Pure.

Answers come in another order than requests go: one that was sent before the platform began to
refuse may be answered last, and says nothing of what it does now.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field

from pointsman.domain.targets import Recipient

#: seconds that an answer counts: longer than a request may take
_REMEMBERED = 60.0


@dataclass(slots=True)
class _Answer:
    """`words` is "" for a success. `is_freed`: its recipient was let go for another try."""

    sent_at: float
    words: str
    recipient: Recipient
    is_freed: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    """Refusals with the same words; nothing that was sent between them came to anything else."""

    #: how many different recipients were refused
    recipients: int
    #: when the first of the requests was sent
    began_at: float
    #: those who have had no other try yet
    to_free: tuple[Recipient, ...]
    #: whether a request succeeded that was sent later
    is_over: bool


@dataclass(slots=True)
class RefusalRuns:
    """The answers of the last minute, sorted by when their requests were sent (monotonic)."""

    _answers: list[_Answer] = field(default_factory=list)

    def succeeded(self, recipient: Recipient, sent_at: float) -> Run | None:
        """Note a success; the run that it ended, None where the one before it was a success."""
        place = self._insert(_Answer(sent_at, "", recipient))
        if place == 0 or not self._answers[place - 1].words:
            return None
        return self._run_at(place - 1)

    def refused(self, recipient: Recipient, sent_at: float, words: str) -> Run:
        """Note a refusal; the run that it belongs to."""
        return self._run_at(self._insert(_Answer(sent_at, words, recipient)))

    def free(self, run: Run) -> tuple[Recipient, ...]:
        """Those of the run who get another try: each only once."""
        for answer in self._answers:
            if answer.recipient in run.to_free:
                answer.is_freed = True
        return run.to_free

    def _insert(self, answer: _Answer) -> int:
        if self._answers and self._answers[0].sent_at < answer.sent_at - 2 * _REMEMBERED:
            oldest = answer.sent_at - _REMEMBERED
            self._answers = [one for one in self._answers if one.sent_at >= oldest]
        place = bisect_right(self._answers, answer.sent_at, key=lambda one: one.sent_at)
        self._answers.insert(place, answer)
        return place

    def _run_at(self, place: int) -> Run:
        words = self._answers[place].words
        first = last = place
        while first > 0 and self._answers[first - 1].words == words:
            first -= 1
        while last + 1 < len(self._answers) and self._answers[last + 1].words == words:
            last += 1
        refusals = self._answers[first : last + 1]
        return Run(
            recipients=len({one.recipient for one in refusals}),
            began_at=refusals[0].sent_at,
            to_free=tuple(dict.fromkeys(_not_freed(refusals))),
            is_over=any(not one.words for one in self._answers[last + 1 :]),
        )


def _not_freed(refusals: list[_Answer]) -> Iterator[Recipient]:
    return (one.recipient for one in refusals if not one.is_freed)
