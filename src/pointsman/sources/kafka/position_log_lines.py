"""The log lines that say where partitions are read from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

import structlog
from aiokafka import TopicPartition

from pointsman.sources.kafka.settings import KafkaSourceSettings
from pointsman.sources.kafka.start_positions import Start, StartAt

log = structlog.get_logger(__name__)


def tell_starts(
    settings: KafkaSourceSettings, starts: Iterable[Start], offsets: Mapping[TopicPartition, int]
) -> set[str]:
    """One line for each topic and what happens to its partitions; the topics that are other logs.

    Nothing of what goes on where it was.
    """
    groups: defaultdict[tuple[str, StartAt, str, str], list[Start]] = defaultdict(list)
    for start in starts:
        stored_log = start.stored.log_id if start.at is StartAt.RESET else ""
        groups[start.place.topic, start.at, stored_log, start.log_id].append(start)
    other_logs = set()
    for (topic, at, stored_log, log_id), group in groups.items():
        names = {
            "source": settings.name,
            "topic": topic,
            "partitions": [start.place.partition for start in group],
            "offsets": [offsets[start.place] for start in group],
        }
        if at is StartAt.RESET:
            other_logs.add(topic)
            log.warning(
                "kafka topic is another log than the stored position counts in: it was made "
                "again, or the cluster is another one; it is read again",
                **names,
                stored_log=stored_log,
                log=log_id,
                stored_offsets=[start.stored.offset for start in group],
                reads_from=settings.auto_offset_reset,
                next="nothing, if that was meant; else see that sources.kafka.bootstrap_servers "
                "name the right cluster",
            )
        elif at is StartAt.BEGINNING:
            log.info("kafka partition is new in its topic; it is read from the start", **names)
        elif at is StartAt.COMMIT_OR_RESET:
            log.info("kafka partition is read for the first time", **names)
    return other_logs
