"""What learners do, by numbers: each at a pace of their own, and always the same for a seed.

A learner works through the topics of one course after the other. A player reports progress with
each heartbeat, and a topic's completion when it is done. What a learner does between two looks is
worked out when it is needed, and only as much of it as desired state remembers: the first and the
last heartbeat of each topic.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from pointsman.domain.clock import MICROSECONDS
from pointsman.domain.records import FRESH_WITHIN, Change
from pointsman.domain.targets import CourseStatus, Recipient, Target, TargetKind

_MASK = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Burst:
    """For `seconds` from `at` on, learners complete topics `factor` times as often."""

    at: float
    seconds: float
    factor: float


@dataclass(frozen=True, slots=True)
class WorkloadNumbers:
    """A workload; all times in seconds."""

    learners: int = 1_000
    #: of a course
    topics: int = 30
    #: the shortest and the longest time between two heartbeats of a learner
    heartbeat: tuple[float, float] = (10.0, 30.0)
    #: how long a learner takes for a topic, on average (exponentially distributed)
    topic_seconds: float = 357.0
    bursts: tuple[Burst, ...] = ()
    seed: int = 1
    #: how long progress may wait
    fresh_within: float = FRESH_WITHIN / MICROSECONDS
    #: of the input, and of the rule that takes it
    source: str = "players"
    rule: str = "courses"


class WorkTime:
    """Seconds of learners' work by a time: time itself, but for bursts, in which it runs faster."""

    def __init__(self, bursts: Sequence[Burst]) -> None:
        edges = {0.0, *(burst.at for burst in bursts), *(one.at + one.seconds for one in bursts)}
        #: (from when on, work done by then, how fast it goes on)
        self._pieces: list[tuple[float, float, float]] = []
        work = 0.0
        for begin, end in pairwise([*sorted(edges), math.inf]):
            factors = [one.factor for one in bursts if one.at <= begin < one.at + one.seconds]
            factor = max(factors, default=1.0)
            self._pieces.append((begin, work, factor))
            work += (end - begin) * factor
        self._is_even = not bursts

    def at(self, time: float) -> float:
        """The work that is done by then."""
        if self._is_even:
            return time
        begin, work, factor = next(
            (piece for piece in reversed(self._pieces) if piece[0] <= time), self._pieces[0]
        )
        return work + (time - begin) * factor

    def when(self, work: float) -> float:
        """The time at which so much work is done."""
        if self._is_even:
            return work
        begin, done, factor = next(
            (piece for piece in reversed(self._pieces) if piece[1] <= work), self._pieces[0]
        )
        return begin + (work - done) / factor


@dataclass(frozen=True, slots=True)
class Shared:
    """What the learners of a workload have in common."""

    numbers: WorkloadNumbers
    time: WorkTime
    course_started: str = CourseStatus.STARTED.value
    course_completed: str = CourseStatus.COMPLETED.value
    #: between two heartbeats, and by how much each is earlier or later
    mean: float = field(init=False)
    swing: float = field(init=False)

    def __post_init__(self) -> None:
        shortest, longest = self.numbers.heartbeat
        object.__setattr__(self, "mean", (shortest + longest) / 2)
        object.__setattr__(self, "swing", (longest - shortest) / 4)


@dataclass(slots=True)
class LearnerTrack:
    """One learner's way. What was handed out before `seen` is not handed out again."""

    shared: Shared
    number: int
    recipient: Recipient = field(init=False)
    seen: float = 0.0
    #: how many topics were done before the one that runs, and when that begins and ends, as work
    done: int = 0
    begins: float = 0.0
    ends: float = 0.0
    completions: int = 0
    #: the course that it started last
    started: int = -1
    #: when its heartbeats begin
    _phase: float = field(init=False)

    def __post_init__(self) -> None:
        numbers = self.shared.numbers
        self.recipient = Recipient.learner(f"{numbers.source}-{self.number}")
        self._phase = self._random(0, 1) * self.shared.mean
        self.done = int(self._random(0, 3) * numbers.topics)
        # they are somewhere in the middle when the hour begins
        self.begins = -self._duration(-1)
        self.ends = self._duration(0)

    @property
    def source(self) -> str:
        return self.shared.numbers.source

    def changes_until(self, time: float) -> list[tuple[float, Change]]:
        """(arrival, change) of what desired state will remember of all that happens until then."""
        changes: list[tuple[float, Change]] = []
        while True:
            ends_at = self.shared.time.when(self.ends)
            if ends_at > time:
                self._heartbeats(time, changes)
                self.seen = time
                return changes
            self._heartbeats(ends_at, changes, is_completed=True)
            self._complete(ends_at, changes)
            self.seen = ends_at

    def next_change(self) -> float:
        """When something happens next."""
        return min(self._heartbeat_after(self.seen), self.next_completion())

    def next_completion(self) -> float:
        return self.shared.time.when(self.ends)

    def _heartbeats(
        self, until: float, changes: list[tuple[float, Change]], *, is_completed: bool = False
    ) -> None:
        """The first and the last before `until`; not the last of what is completed."""
        first = self._heartbeat_after(self.seen)
        if first >= until:
            return
        last = first if is_completed else self._heartbeat_before(until)
        course, topic = divmod(self.done, self.shared.numbers.topics)
        if topic == 0 and course > self.started:
            self.started = course
            started = self.shared.course_started
            changes.append((first, self._change(self._course(course), started, first)))
        target = self._topic()
        for at in (first, last) if last > first else (first,):
            part = (self.shared.time.at(at) - self.begins) / (self.ends - self.begins)
            changes.append((at, self._change(target, min(99, max(1, int(part * 100))), at)))

    def _complete(self, at: float, changes: list[tuple[float, Change]]) -> None:
        target = self._topic()
        changes.append((at, self._change(target, 100, at)))
        course, topic = divmod(self.done, self.shared.numbers.topics)
        if topic == self.shared.numbers.topics - 1:
            completed = self.shared.course_completed
            change = self._change(self._course(course), completed, at, after=(target,))
            changes.append((at, change))
        self.completions += 1
        self.done += 1
        self.begins = self.ends
        self.ends += self._duration(self.done)

    def _topic(self) -> Target:
        return Target(TargetKind.TOPIC_PROGRESS, f"t{self.done}")

    def _course(self, course: int) -> Target:
        return Target(TargetKind.COURSE_STATUS, f"id:c{course}")

    def _change(
        self, target: Target, value: int | str, at: float, *, after: tuple[Target, ...] = ()
    ) -> Change:
        return Change(
            recipient=self.recipient,
            target=target,
            value=value,
            occurred_at=round(at * 1e6),
            statement_id="",
            rule=self.shared.numbers.rule,
            after=after,
            fresh_within=round(self.shared.numbers.fresh_within * MICROSECONDS),
        )

    def _heartbeat_after(self, time: float) -> float:
        """The first that comes later; one is surely earlier that is a swing before."""
        shared = self.shared
        beat = math.floor((time - self._phase - shared.swing) / shared.mean)
        while (at := self._heartbeat(beat)) <= time:
            beat += 1
        return at

    def _heartbeat_before(self, time: float) -> float:
        shared = self.shared
        beat = math.ceil((time - self._phase + shared.swing) / shared.mean)
        while (at := self._heartbeat(beat)) >= time:
            beat -= 1
        return at

    def _heartbeat(self, beat: int) -> float:
        """Heartbeats are a mean apart, each moved by up to a swing; the learner has a phase too."""
        moved = (2 * self._random(beat, 2) - 1) * self.shared.swing
        return beat * self.shared.mean + self._phase + moved

    def _duration(self, topic: int) -> float:
        return -math.log(1.0 - self._random(topic, 4)) * self.shared.numbers.topic_seconds

    def _random(self, index: int, stream: int) -> float:
        """Evenly in [0, 1), and the same for the same learner, index and stream (splitmix64)."""
        mixed = (
            (self.shared.numbers.seed << 40) + (self.number << 3) + stream
        ) * 0x9E3779B97F4A7C15 + index * 0xD1B54A32D192ED03 & _MASK
        mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9 & _MASK
        mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB & _MASK
        return ((mixed ^ mixed >> 31) >> 11) / (1 << 53)


def tracks(numbers: WorkloadNumbers) -> list[LearnerTrack]:
    """The learners of a workload."""
    shared = Shared(numbers, WorkTime(numbers.bursts))
    return [LearnerTrack(shared, number) for number in range(numbers.learners)]
