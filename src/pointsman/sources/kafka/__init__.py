"""Kafka as a source: topics of xAPI statements, read in a consumer group."""

from __future__ import annotations

from pointsman.sources.kafka.consumer import KafkaSource
from pointsman.sources.kafka.outbox import Outbox
from pointsman.sources.kafka.settings import KafkaHooks, KafkaSettings

__all__ = ["KafkaHooks", "KafkaSettings", "KafkaSource", "Outbox"]
