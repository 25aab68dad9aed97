"""What a Kafka source tells the metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class ResetReason(StrEnum):
    """Why reading does not go on at a place that is stored."""

    #: the topic was made again, or the cluster is another one
    ANOTHER_LOG = "another_log"
    #: retention has removed what is there, or the log ends before it
    OUT_OF_RANGE = "out_of_range"


def _ignore(*_: object) -> None:
    pass


@dataclass(frozen=True, slots=True)
class KafkaHooks:
    """Told what happens, for metrics."""

    #: topic, partition, messages that are not stored yet
    on_lag: Callable[[str, int, int], None] = _ignore
    #: whether the source waits for the store
    on_paused: Callable[[bool], None] = _ignore
    #: why nothing can be read of a part of the source, by that part; nothing when all is well
    on_problems: Callable[[Mapping[str, str]], None] = _ignore
    #: topic, and why its place was given up: see `ResetReason`
    on_reset: Callable[[str, ResetReason], None] = _ignore
    #: the (topic, partition) pairs that are ours now
    on_assigned: Callable[[frozenset[tuple[str, int]]], None] = _ignore
