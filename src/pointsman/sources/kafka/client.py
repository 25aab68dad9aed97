"""Consumers, clients and producers as their settings say."""

from __future__ import annotations

from typing import Any

from aiokafka import AIOKafkaClient, AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from pointsman.sources.kafka.settings import (
    KafkaCluster,
    KafkaSecurity,
    KafkaSourceSettings,
    KafkaTopicSettings,
)
from pointsman.sources.kafka.watched_tls import watched_tls_context

#: bytes of a message, before it is compressed
_LARGEST = 64 * 1024 * 1024
#: milliseconds
_ANSWER = 5_000
_DAY = 86_400_000
#: bytes of a partition, for who looks only where it ends
_LITTLE = 4_096


def new_consumer(settings: KafkaSourceSettings) -> AIOKafkaConsumer:
    """A consumer that is subscribed to nothing. Raises `OSError` for unusable TLS files."""
    return AIOKafkaConsumer(
        bootstrap_servers=list(settings.bootstrap_servers),
        client_id=f"pointsman-{settings.name}",
        group_id=settings.group_id,
        enable_auto_commit=False,
        session_timeout_ms=round(settings.session_timeout_seconds * 1000),
        heartbeat_interval_ms=round(settings.session_timeout_seconds * 300),
        # "none" makes a place that is gone an error here, instead of a silent jump in the client.
        auto_offset_reset="none",
        # A message of an aborted transaction was never sent.
        isolation_level="read_committed",
        # a topic made later, or new partitions, are seen after this long
        metadata_max_age_ms=10_000,
        **_security(settings.security),
    )


def new_client(cluster: KafkaCluster, name: str) -> AIOKafkaClient:
    """A client that asks about topics, and reads none. Raises `OSError` for unusable TLS files."""
    return AIOKafkaClient(
        **_address(cluster, name),
        request_timeout_ms=_ANSWER,
        # its own picture of the cluster is only to find the brokers
        metadata_max_age_ms=_DAY,
    )


def new_admin(cluster: KafkaCluster, name: str) -> AIOKafkaAdminClient:
    """A client that asks about groups. Raises `OSError` for unusable TLS files."""
    return AIOKafkaAdminClient(**_address(cluster, name), request_timeout_ms=_ANSWER)


def new_reader(cluster: KafkaCluster, name: str) -> AIOKafkaConsumer:
    """A consumer in no group, which reads a little. Raises `OSError` for unusable TLS files."""
    return AIOKafkaConsumer(
        **_address(cluster, name),
        enable_auto_commit=False,
        auto_offset_reset="none",
        request_timeout_ms=_ANSWER,
        max_partition_fetch_bytes=_LITTLE,
    )


def new_producer(settings: KafkaTopicSettings) -> AIOKafkaProducer:
    """A producer whose messages are on every replica of a partition, once, when it says so.

    Raises `OSError` for unusable TLS files.
    """
    return AIOKafkaProducer(
        bootstrap_servers=list(settings.bootstrap_servers),
        client_id="pointsman-http",
        acks="all",
        enable_idempotence=True,
        request_timeout_ms=round(settings.timeout_seconds * 1000),
        # how much is too much is the broker's to say
        max_request_size=_LARGEST,
        # requests that come at the same time share one
        linger_ms=2,
        compression_type="zstd",
        **_security(settings.security),
    )


def current_password(security: KafkaSecurity) -> str | None:
    """The password of now; the client keeps the one that it was made with."""
    return None if security.password is None else security.password.get_secret_value()


def _address(cluster: KafkaCluster, name: str) -> dict[str, Any]:
    return {
        "bootstrap_servers": list(cluster.bootstrap_servers),
        "client_id": name,
        **_security(cluster.security),
    }


def _security(security: KafkaSecurity) -> dict[str, Any]:
    return {
        "security_protocol": security.protocol,
        "sasl_mechanism": security.sasl_mechanism or "PLAIN",
        "sasl_plain_username": security.username,
        "sasl_plain_password": current_password(security),
        "ssl_context": watched_tls_context(security) if security.protocol.endswith("SSL") else None,
    }
