"""Holds the settings of one Kafka source, and makes its client."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.helpers import create_ssl_context

#: bytes of a message, before it is compressed
_LARGEST = 64 * 1024 * 1024


def _ignore(*_: object) -> None:
    pass


@dataclass(frozen=True, slots=True)
class KafkaSettings:
    """One consumer group, or one topic to write to, on one cluster.

    `name` is the source of its submissions. A producer has no group.
    """

    name: str
    #: host:port each
    bootstrap_servers: tuple[str, ...]
    topics: tuple[str, ...]
    group_id: str
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = None
    sasl_username: str | None = None
    sasl_password: str | None = field(default=None, repr=False)
    #: PEM; without it the system's authorities count
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    #: messages that go to the store in one transaction
    max_records: int = 1000
    #: where to begin when neither the store nor the group knows, or the place is gone
    auto_offset_reset: Literal["earliest", "latest"] = "earliest"
    #: seconds after which a member that went silent has lost its partitions
    session_timeout: float = 10.0


@dataclass(frozen=True, slots=True)
class KafkaHooks:
    """Told what happens, for metrics."""

    #: topic, partition, messages that are not stored yet
    on_lag: Callable[[str, int, int], None] = _ignore
    #: whether the source waits for the store
    on_paused: Callable[[bool], None] = _ignore


def new_consumer(settings: KafkaSettings) -> AIOKafkaConsumer:
    """A consumer that is subscribed to nothing. Raises `OSError` for unusable TLS files."""
    return AIOKafkaConsumer(
        bootstrap_servers=list(settings.bootstrap_servers),
        client_id=f"pointsman-{settings.name}",
        group_id=settings.group_id,
        enable_auto_commit=False,
        session_timeout_ms=round(settings.session_timeout * 1000),
        heartbeat_interval_ms=round(settings.session_timeout * 300),
        # "none" makes a place that is gone an error here, instead of a silent jump in the client.
        auto_offset_reset="none",
        # A message of an aborted transaction was never sent.
        isolation_level="read_committed",
        # a topic made later, or new partitions, are seen after this long
        metadata_max_age_ms=60_000,
        **_security(settings),
    )


def new_producer(settings: KafkaSettings, timeout: float) -> AIOKafkaProducer:
    """A producer whose messages are on every replica of a partition, once, when it says so.

    `timeout` in seconds. Raises `OSError` for unusable TLS files.
    """
    return AIOKafkaProducer(
        bootstrap_servers=list(settings.bootstrap_servers),
        client_id=f"pointsman-{settings.name}",
        acks="all",
        enable_idempotence=True,
        request_timeout_ms=round(timeout * 1000),
        # how much is too much is the broker's to say
        max_request_size=_LARGEST,
        # requests that come at the same time share one
        linger_ms=2,
        compression_type="zstd",
        **_security(settings),
    )


def _security(settings: KafkaSettings) -> dict[str, Any]:
    return {
        "security_protocol": settings.security_protocol,
        "sasl_mechanism": settings.sasl_mechanism or "PLAIN",
        "sasl_plain_username": settings.sasl_username,
        "sasl_plain_password": settings.sasl_password,
        "ssl_context": _ssl_context(settings),
    }


def _ssl_context(settings: KafkaSettings) -> ssl.SSLContext | None:
    if not settings.security_protocol.endswith("SSL"):
        return None
    context: ssl.SSLContext = create_ssl_context(
        cafile=settings.ca_file, certfile=settings.cert_file, keyfile=settings.key_file
    )
    return context
