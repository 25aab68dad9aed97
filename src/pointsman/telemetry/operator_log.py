"""The log lines for the person on call: what goes wrong, whose it is, and what to do about it.

Each kind of trouble has a line at once, and while it lasts further ones ever more seldom, with the
number of `times` since the line before.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import structlog

from pointsman.delivery.delivery_record import NOT_SENT, DeliveryRecord
from pointsman.domain.clock import Clock
from pointsman.domain.log_steps import UNKNOWN_ROUTE
from pointsman.domain.records import InputOutcome, LeftOut, Receipt, Submission
from pointsman.platforms.base import RequestOutcome
from pointsman.store.confirmation_records import TakenEvent
from pointsman.telemetry import next_steps
from pointsman.telemetry.repeats import Repeats

log = structlog.get_logger("pointsman")
delivery_log = structlog.get_logger("pointsman.delivery")

_DAY = 86_400
#: reasons of one sender's refusals that have lines of their own, and how much of them is compared
_MOST_REASONS, _SHAPE = 5, 100
_VARIABLE = re.compile(r"'[^']*'|\"[^\"]*\"|[A-Za-z]+:/\S+|[0-9A-Fa-f-]*[0-9][0-9A-Fa-f-]*")
#: routes whose callers sign what they send
_SIGNED = ("/webhooks", "/scorm-cloud")


class OperatorLog:
    """Hooks, as the metrics have them; `clock` says how long a trouble lasts."""

    def __init__(self, clock: Clock) -> None:
        self._repeats = Repeats(clock)
        #: what the reasons of refusals look like, by status, source and route
        self._reasons: defaultdict[Hashable, set[str]] = defaultdict(set)

    def refused(self, source: str, method: str, route: str, status: int, reason: str) -> None:
        """A request was turned away; the source is "" where it is not known who sent it."""
        next_step = next_steps.OF_STATUS.get(HTTPStatus(status))
        if status == HTTPStatus.NOT_FOUND and route == UNKNOWN_ROUTE:
            next_step = next_steps.OF_UNKNOWN_PATH
        if next_step is None:
            return
        if status == HTTPStatus.UNAUTHORIZED and route.startswith(_SIGNED):
            next_step = next_steps.OF_CALLBACK
        times = self._repeats.times(self._kind_of_refusal((status, source, route), reason))
        if times is None:
            return
        level = "error" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "warning"
        getattr(log, level)(
            "request refused",
            source=source or "not known",
            method=method,
            route=route,
            status=status,
            reason=reason,
            **_counted(times),
            next=next_step,
        )

    def _kind_of_refusal(self, whose: Hashable, reason: str) -> Hashable:
        """Another reason is another trouble, whatever ids and numbers it names; up to a few."""
        known, shape = self._reasons[whose], _VARIABLE.sub("…", reason)[:_SHAPE]
        if shape not in known and len(known) >= _MOST_REASONS:
            return "refused", whose
        known.add(shape)
        return "refused", whose, shape

    def connection_closed(self, reason: str, address: str) -> None:
        """A connection was closed or refused from here; no more than one line tells of many."""
        next_step = next_steps.OF_CLOSED.get(reason)
        times = None if next_step is None else self._repeats.times(("closed", reason))
        if times is None:
            return
        log.warning(
            "connection closed", reason=reason, address=address, **_counted(times), next=next_step
        )

    def received(self, submissions: Sequence[Submission], receipts: Sequence[Receipt]) -> None:
        """What was stored, and was not understood or is taken by no rule."""
        for submission, receipt in zip(submissions, receipts, strict=True):
            if receipt.outcomes.get(InputOutcome.DEAD):
                self._dead_letter(submission, receipt)
            if receipt.outcomes.get(InputOutcome.UNMATCHED):
                self._unmatched(submission)

    def left_out(self, source: str, statement_id: str, left_out: LeftOut) -> None:
        """A reading made no sense; a player that has one sends one with each statement."""
        times = self._repeats.times(("left out", source, left_out.reading))
        if times is None:
            return
        log.warning(
            "a reading makes no sense and was left out",
            source=source,
            reading=left_out.reading.value,
            statement_id=statement_id,
            reason=left_out.reason,
            **_counted(times),
            next=next_steps.OF_LEFT_OUT,
        )

    def clock_off(self, source: str, statement_id: str, seconds: float) -> None:
        """A statement came whose timestamp is so far ahead of its arrival, or behind (negative)."""
        times = self._repeats.times(("clock", source, seconds > 0))
        if times is None:
            return
        off = (
            {"ahead_seconds": round(seconds)} if seconds > 0 else {"behind_days": -seconds // _DAY}
        )
        log.warning(
            "a player's clock is off",
            source=source,
            statement_id=statement_id,
            **off,
            **_counted(times),
            next=next_steps.OF_CLOCK,
        )

    def confirmed(self, taken: Sequence[TakenEvent]) -> None:
        """What somebody changed on the platform on purpose; what was confirmed is no trouble."""
        for one in taken:
            next_step = next_steps.OF_PLATFORM_CHANGE.get(one.outcome)
            if next_step is None:
                continue
            times = self._repeats.times(("changed", one.event.fact, one.outcome))
            if times is not None:
                log.warning(
                    "changed on the platform on purpose",
                    learner=one.learner,
                    place=str(one.event.place),
                    fact=one.event.fact.value,
                    by=one.event.source.value,
                    **_counted(times),
                    next=next_step,
                )

    def delivery(self, record: DeliveryRecord) -> None:
        """The canonical line of one turn, with all that a person would ask.

        Its level is raised by the first trouble in it that is due for a line.
        """
        level, trouble = "info", dict[str, Any]()
        for key, its_level, next_step in _troubles(record):
            times = self._repeats.times(key)
            if times is not None:
                level, trouble = its_level, {**_counted(times), "next": next_step}
                break
        self._recovered(record.outcome.answer)
        getattr(delivery_log, level)("delivery", **_line(record), **trouble)

    def _recovered(self, answer: RequestOutcome | None) -> None:
        if answer is None or answer in next_steps.OF_ANSWER:
            return
        over = [one for one in next_steps.OF_ANSWER if self._repeats.forget(("answer", one))]
        if over:
            delivery_log.info("the platform takes requests again", was=" and ".join(over))

    def _dead_letter(self, submission: Submission, receipt: Receipt) -> None:
        times = self._repeats.times(("dead", submission.source))
        if times is None:
            return
        letter = next(iter(submission.dead), None)
        conflict = f"already stored with different content: {', '.join(receipt.conflicts)}"
        reasons = [
            item.decision.reason
            for item in submission.items
            if item.decision.outcome is InputOutcome.DEAD
        ]
        log.warning(
            "dead letter",
            source=submission.source,
            origin=letter.origin if letter is not None else "",
            reason=letter.reason if letter is not None else next(iter(reasons), conflict),
            **_counted(times),
            next=next_steps.of_dead_letter(submission.source),
        )

    def _unmatched(self, submission: Submission) -> None:
        times = self._repeats.times(("unmatched", submission.source))
        if times is None:
            return
        activity = next(
            item.decision.activity
            for item in submission.items
            if item.decision.outcome is InputOutcome.UNMATCHED
        )
        log.warning(
            "no rule takes a statement",
            source=submission.source,
            activity=activity,
            **_counted(times),
            next=next_steps.OF_UNMATCHED,
        )


def _counted(times: int) -> dict[str, int]:
    return {} if times == 1 else {"times": times}


def _troubles(record: DeliveryRecord) -> Iterator[tuple[Hashable, str, str]]:
    """(key, level, next step) of all that went wrong in a turn, the most general first."""
    answer = record.outcome.answer
    if answer in next_steps.OF_ANSWER:
        level = "error" if answer is RequestOutcome.KEY_REFUSED else "warning"
        yield ("answer", answer), level, next_steps.OF_ANSWER[answer]
    for settlement in record.outcome.settlements:
        if settlement.code is not None:
            yield ("parked", settlement.code), "warning", next_steps.OF_PARK_CODE[settlement.code]
        elif settlement.result == "retry" and answer not in next_steps.OF_ANSWER:
            yield ("retry", answer), "warning", next_steps.OF_RETRY


def _line(record: DeliveryRecord) -> Mapping[str, object]:
    outcome = record.outcome
    results = Counter(settlement.result for settlement in outcome.settlements)
    slowest = max((latency.seconds for latency in record.latencies), default=None)
    line: dict[str, object] = {
        "learner": outcome.learner,
        "answer": outcome.answer or NOT_SENT,
        "requests": outcome.requests,
        "points": outcome.points,
        "platform_seconds": round(sum(outcome.seconds), 4),
        **dict(sorted(results.items())),
    }
    if slowest is not None:
        line["slowest_arrival_to_platform_seconds"] = round(slowest, 3)
    if outcome.message:
        line["words"] = outcome.message
    parked = {
        f"{settlement.target.kind}/{settlement.target.key}": settlement.reason
        for settlement in outcome.settlements
        if settlement.result == "parked"
    }
    if parked:
        line["parked_because"] = parked
    return line
