"""Writes messages to a topic, while the broker is there and whenever it comes back."""

from __future__ import annotations

import asyncio
import contextlib

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError, RecordTooLargeError

from pointsman.domain.clock import Clock
from pointsman.domain.errors import InputRefused, StoreUnavailable
from pointsman.sources.kafka.client import current_password, new_producer
from pointsman.sources.kafka.settings import KafkaTopicSettings

log = structlog.get_logger(__name__)

#: seconds between two tries to connect
_PAUSE = 1.0
_TOO_LARGE = (MessageSizeTooLargeError, RecordTooLargeError)


class TopicProducer:
    """Writes to the topic of `settings`, which `section` of the configuration has.

    `meanwhile` says what becomes of messages while there is no broker.
    """

    def __init__(
        self, settings: KafkaTopicSettings, clock: Clock, section: str, meanwhile: str
    ) -> None:
        self._settings = settings
        self._section = section
        self._meanwhile = meanwhile
        self._clock = clock
        self._producer: AIOKafkaProducer | None = None
        self._problem = "not connected yet"
        self._connecting: asyncio.Task[None] | None = None
        #: what the producer was made with
        self._password: str | None = None

    async def open(self) -> None:
        """Connect, now or as soon as the broker is there."""
        self._connecting = asyncio.create_task(self._connect())
        await asyncio.wait({self._connecting}, timeout=_PAUSE)

    async def close(self) -> None:
        """What is under way is written first."""
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.gather(self._connecting, return_exceptions=True)
        if self._producer is not None:
            with contextlib.suppress(KafkaError, OSError, TimeoutError):
                await asyncio.wait_for(self._producer.stop(), self._settings.timeout_seconds)

    @property
    def problem(self) -> str:
        """Why nothing can be written now, "" when all is well."""
        return self._problem

    async def write(
        self, body: bytes, headers: list[tuple[str, bytes]], key: bytes | None = None
    ) -> None:
        """Returns when every replica of the partition has it; one key is one partition.

        Raises `StoreUnavailable`, after which it may be there or not, and `InputRefused` for what
        is too large.
        """
        topic = self._settings.topic
        if self._producer is None:
            raise StoreUnavailable(f"{self._section}: no broker for topic {topic}: {self._problem}")
        try:
            sent = self._producer.send_and_wait(topic, body, key=key, headers=headers)
            await asyncio.wait_for(sent, self._settings.timeout_seconds)
        except _TOO_LARGE as error:
            raise InputRefused(
                f"{len(body):,} bytes are more than the broker takes in one message; send fewer "
                "statements in a request, or raise the topic's max.message.bytes"
            ) from error
        except (KafkaError, OSError, TimeoutError) as error:
            self._problem = f"{type(error).__name__}: {error}"
            self._connect_again_with_another_password()
            raise StoreUnavailable(
                f"{self._section}: topic {topic} does not take messages: {self._problem}"
            ) from error
        self._problem = ""

    def _connect_again_with_another_password(self) -> None:
        """A producer would log in with its own for ever, and the broker may know it no longer."""
        former = self._producer
        if former is None or current_password(self._settings.security) == self._password:
            return
        self._producer = None
        self._connecting = asyncio.create_task(self._connect_instead_of(former))

    async def _connect_instead_of(self, former: AIOKafkaProducer) -> None:
        with contextlib.suppress(KafkaError, OSError, TimeoutError):
            await asyncio.wait_for(former.stop(), self._settings.timeout_seconds)
        await self._connect()

    async def _connect(self) -> None:
        while True:
            producer = None
            try:
                self._password = current_password(self._settings.security)
                producer = new_producer(self._settings)
                await producer.start()
            except Exception as error:
                self._problem = f"{type(error).__name__}: {error}"
                log.warning(
                    "no broker to write to",
                    topic=self._settings.topic,
                    servers=", ".join(self._settings.bootstrap_servers),
                    reason=self._problem,
                    next=f"see that {self._section}.bootstrap_servers are right and can be "
                    f"reached, and {self._section}.security is what these listeners want; "
                    f"{self._meanwhile}",
                    # the broker's troubles are told by their names; others are ours
                    exc_info=not isinstance(error, KafkaError | OSError),
                )
                if producer is not None:
                    with contextlib.suppress(KafkaError, OSError):
                        await producer.stop()
                await self._clock.sleep(_PAUSE)
            else:
                self._producer, self._problem = producer, ""
                return
