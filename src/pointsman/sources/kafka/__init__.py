"""Kafka as a source: topics of xAPI statements, read in a consumer group."""
