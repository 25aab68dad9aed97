"""Runs a Kafka source: poll, store, and only then move on.

The positions in our store are the truth, and are stored with the statements. What is committed
to the broker follows them, for the lag tools, and counts only where the store knows nothing.
"""

from __future__ import annotations

import asyncio
import contextlib

import structlog
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    KafkaConnectionError,
    KafkaError,
    TopicAuthorizationFailedError,
)

from pointsman.domain.clock import Clock
from pointsman.domain.errors import PartitionLost
from pointsman.domain.log_steps import NOTHING, REPORT_IT
from pointsman.sources.kafka.hooks import KafkaHooks
from pointsman.sources.kafka.messages import MessageReader
from pointsman.sources.kafka.positioning import Claim
from pointsman.sources.kafka.problems import SourceProblems
from pointsman.sources.kafka.session import ConsumerSession
from pointsman.sources.kafka.settings import KafkaSourceSettings
from pointsman.sources.kafka.store_retry import StopSignal
from pointsman.sources.kafka.topic_watch import TopicWatch

log = structlog.get_logger(__name__)

#: bytes of messages that are read and not committed yet, where nobody says otherwise
READ_AHEAD = 8 * 1024 * 1024
#: seconds between two looks while no topic can be read
_NO_TOPIC = 2.0


class KafkaSource:
    """Reads `settings.topics` until it is stopped, whatever becomes of broker and store.

    `claim` takes over partitions in the store, which fences whoever had them, and gives what is
    stored of them. It and the intake may raise `StoreUnavailable`: then the source pauses, stays
    in its group, and tries again.

    The next messages are read while those before are committed, as long as both are no more than
    `read_ahead` bytes; 0 = not at all.
    """

    def __init__(
        self,
        settings: KafkaSourceSettings,
        intake: MessageReader,
        claim: Claim,
        clock: Clock,
        hooks: KafkaHooks | None = None,
        read_ahead: int = READ_AHEAD,
    ) -> None:
        self._read_ahead = read_ahead
        self._settings = settings
        self._intake = intake
        self._claim = claim
        self._clock = clock
        self._hooks = hooks or KafkaHooks()
        self._stop = StopSignal(clock)
        self._failures = 0
        self._problems = SourceProblems(settings.name, self._hooks)
        self._watch = TopicWatch(settings, clock, self._problems)

    @property
    def problem(self) -> str:
        """What hinders reading now, "" when nothing does."""
        return self._problems.text

    @property
    def name(self) -> str:
        return self._settings.name

    @property
    def is_required(self) -> bool:
        """Whether the daemon is only ready while this source can read."""
        return self._settings.required_for_readiness

    async def run(self) -> None:
        """Read until `stop`; a trouble is logged and ends in a new connection, never in an error.

        At the end the batch under way is stored if the store can, the broker is told how far we
        are, and the group is left.
        """
        watching = asyncio.create_task(self._watch.run())
        try:
            while not self._stop.stopped:
                await self._connect()
                await self._stop.back_off(self._failures)
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
            await self._watch.close()

    async def stop(self) -> None:
        """Ask `run` to end; it returns by itself. Asking twice is no different from once."""
        self._stop.stop()

    async def _connect(self) -> None:
        session: ConsumerSession | None = None
        try:
            if not self._watch.readable:
                await self._watch.look()
            if not self._watch.readable:
                await self._stop.unless_stopped(self._clock.sleep(_NO_TOPIC))
                return
            session = ConsumerSession(
                self._settings,
                self._intake,
                self._claim,
                self._clock,
                self._hooks,
                self._stop,
                self._watch,
                self._problems,
                self._read_ahead,
            )
            await session.run()
        except Exception as error:  # one source may not end the daemon
            self._failures = 1 if session is not None and session.has_read else self._failures + 1
            self._problems.note("connection", f"{type(error).__name__}: {error}")
            log.warning(
                "kafka source interrupted; it connects again",
                source=self._settings.name,
                servers=", ".join(self._settings.bootstrap_servers),
                error=f"{type(error).__name__}: {error}",
                failures=self._failures,
                **_advice(error),
                # the broker's troubles are told by their names; others are ours
                exc_info=not isinstance(error, KafkaError | OSError | PartitionLost),
            )
        finally:
            if session is not None:
                with contextlib.suppress(KafkaError, OSError, TimeoutError):
                    await session.close()


def _advice(error: Exception) -> dict[str, str]:
    """What to look at; the client says why it was not let in in a line of its own."""
    for kinds, step in _ADVICE:
        if isinstance(error, kinds):
            return {"next": step}
    return {
        "next": NOTHING if isinstance(error, KafkaError | OSError | PartitionLost) else REPORT_IT
    }


_ADVICE: tuple[tuple[type[Exception], str], ...] = (
    (
        TopicAuthorizationFailedError,
        "allow the user of sources.kafka.security to READ the topics of sources.kafka.topics",
    ),
    (
        GroupAuthorizationFailedError,
        "allow the user of sources.kafka.security to READ the group of sources.kafka.group_id",
    ),
    (
        KafkaConnectionError,
        (
            "see that bootstrap_servers are right and sources.kafka.security is what these "
            "listeners want; the client's own line says what the broker said"
        ),
    ),
)
