"""Looks every few seconds at which log each topic of a source is, and whether it can be read."""

from __future__ import annotations

import structlog
from aiokafka.errors import KafkaError

from pointsman.domain.clock import Clock
from pointsman.domain.log_steps import REPORT_IT
from pointsman.sources.kafka.problems import SourceProblems
from pointsman.sources.kafka.settings import KafkaSourceSettings
from pointsman.sources.kafka.topic_logs import TopicLog, TopicLogs

log = structlog.get_logger(__name__)

#: seconds between two looks
_EVERY = 5.0
#: Kafka's errors of a topic: what they say, and what to do
_PROBLEMS = {
    "UnknownTopicOrPartitionError": (
        "the topic does not exist",
        "create the topic, or correct sources.kafka.topics; it is read as soon as it is there",
    ),
    "TopicAuthorizationFailedError": (
        "the brokers refuse this user the topic",
        "allow the user of sources.kafka.security to DESCRIBE and READ the topic",
    ),
    "LeaderNotAvailableError": (
        "no broker leads the topic now",
        "wait, or see which broker of the topic is down",
    ),
}
#: errors that are not passed by waiting a moment
_UNREADABLE = frozenset(
    {"UnknownTopicOrPartitionError", "TopicAuthorizationFailedError", "InvalidTopicError"}
)


class TopicWatch:
    """`logs` is what was seen last, of every topic of the source."""

    def __init__(
        self, settings: KafkaSourceSettings, clock: Clock, problems: SourceProblems
    ) -> None:
        self.logs: dict[str, TopicLog] = {}
        self._settings = settings
        self._clock = clock
        self._problems = problems
        self._reader = TopicLogs(settings)

    async def run(self) -> None:
        """Look until cancelled; that no broker answers is a problem of the source."""
        while True:
            try:
                await self.look()
            except Exception as error:
                if not isinstance(error, KafkaError | OSError):
                    log.exception(
                        "looking at the topics failed for a reason of ours", next=REPORT_IT
                    )
                self._problems.met(
                    "brokers",
                    f"no answer about the topics: {type(error).__name__}: {error}",
                    "see that one of sources.kafka.bootstrap_servers runs and can be reached: "
                    + ", ".join(self._settings.bootstrap_servers),
                )
            await self._clock.sleep(_EVERY)

    @property
    def readable(self) -> tuple[str, ...]:
        """The topics that were there, and open to us, when they were last looked at."""
        return tuple(
            topic
            for topic in self._settings.topics
            if topic in self.logs and self.logs[topic].error not in _UNREADABLE
        )

    async def look(self) -> dict[str, TopicLog]:
        """What each topic is now. Raises `KafkaError` and `OSError` when no broker answers."""
        self.logs = await self._reader.read(self._settings.topics)
        self._problems.solved("brokers")
        for topic, log in self.logs.items():
            if log.error:
                problem = _PROBLEMS.get(log.error, (log.error, "look at the brokers' log"))
                self._problems.met(f"topic {topic}", *problem)
            else:
                self._problems.solved(f"topic {topic}")
        return self.logs

    async def close(self) -> None:
        await self._reader.close()
