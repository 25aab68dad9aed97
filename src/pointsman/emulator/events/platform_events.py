"""All that happens to learners: into the feed's log, to the webhooks, and certificates in time."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime

from pointsman.domain.clock import Clock
from pointsman.emulator.catalogue import Course, Learner, LearningPath
from pointsman.emulator.dates import moment
from pointsman.emulator.events.certificates import DueCertificate, DueCertificates
from pointsman.emulator.events.kinds import EventKind
from pointsman.emulator.events.log import EventLog
from pointsman.emulator.events.record import PlatformEvent
from pointsman.emulator.events.webhooks import Webhooks
from pointsman.emulator.faults import Faults, InjectedEventFault, named_facts


class PlatformEvents:
    """Times are those of the clock."""

    def __init__(self, clock: Clock, faults: Faults, webhooks: Webhooks) -> None:
        self._clock = clock
        self._faults = faults
        self.webhooks = webhooks
        self.log = EventLog()
        self.due_certificates = DueCertificates()
        self._grant: Callable[[DueCertificate], None] | None = None

    def clear(self) -> None:
        """Nothing has happened yet; endpoints stay."""
        self.log = EventLog()
        self.due_certificates = DueCertificates()
        self.webhooks.forget_waiting()

    def grants_with(self, grant: Callable[[DueCertificate], None]) -> None:
        """What is to be done with a certificate that is due."""
        self._grant = grant

    def happened(
        self,
        kind: EventKind,
        learner: Learner,
        content: Course | LearningPath,
        *,
        at: datetime,
        topic: str | None = None,
        status: str | None = None,
    ) -> None:
        """Tell of it: the feed shows it from now on, and webhooks are queued."""
        number = self.log.added + 1
        fault = InjectedEventFault()
        if self._faults.in_force:
            now = self._clock.monotonic()
            facts = named_facts(kind.webhook, number=number, at=now, learner=learner.email)
            self._faults.inject(facts, fault)
        event = PlatformEvent(
            id=str(uuid.uuid4()),
            kind=kind,
            at=at.timestamp(),
            learner=learner,
            content=content,
            number=number,
            shown_from=self._clock.now() + fault.hidden,
            topic=topic,
            status=status,
        )
        self.log.add(event)
        self.webhooks.put(event)

    def advance(self) -> float | None:
        """Grant the certificates that are due by now; the seconds until the next one is."""
        now = moment(self._clock.now())
        for certificate in self.due_certificates.take(now):
            if self._grant is not None:
                self._grant(certificate)
        due = self.due_certificates.next_due
        return None if due is None else (due - now).total_seconds()
