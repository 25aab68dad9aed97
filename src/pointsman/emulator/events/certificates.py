"""The certificates that are due: who gets one, for what, and when."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from pointsman.emulator.catalogue import Course, Learner, LearningPath


@dataclass(frozen=True, slots=True, order=True)
class DueCertificate:
    """To be granted at `due` if the learner is still complete since `completed_at`."""

    due: datetime
    number: int
    learner: Learner = field(compare=False)
    content: Course | LearningPath = field(compare=False)
    completed_at: datetime = field(compare=False)


class DueCertificates:
    """In the order of their times."""

    def __init__(self) -> None:
        self._heap: list[DueCertificate] = []
        self._added = 0

    def add(
        self,
        due: datetime,
        learner: Learner,
        content: Course | LearningPath,
        completed_at: datetime,
    ) -> None:
        self._added += 1
        entry = DueCertificate(due, self._added, learner, content, completed_at)
        heapq.heappush(self._heap, entry)

    def take(self, now: datetime) -> Iterator[DueCertificate]:
        """Those that are due by now; each is given once."""
        while self._heap and self._heap[0].due <= now:
            yield heapq.heappop(self._heap)

    @property
    def next_due(self) -> datetime | None:
        return self._heap[0].due if self._heap else None
