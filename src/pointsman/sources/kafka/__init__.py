"""Kafka as a source: topics of xAPI statements, read in a consumer group."""

from __future__ import annotations

from pointsman.sources.kafka.producer import StatementProducer
from pointsman.sources.kafka.settings import KafkaHooks, KafkaSettings
from pointsman.sources.kafka.source import KafkaSource

__all__ = ["KafkaHooks", "KafkaSettings", "KafkaSource", "StatementProducer"]
