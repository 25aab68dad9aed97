"""The place in a partition of a log up to which everything is stored. Frozen."""

from __future__ import annotations

from pointsman.domain.frozen import record

#: offset of a partition of which nothing was stored yet
UNREAD = -1
#: partition of the row of a topic as a whole: its offset is the number of partitions that the topic
#: had when the group first came to it
WHOLE_TOPIC = -1


@record
class Position:
    """Where a Kafka partition has been read to: `offset` is the next one to read.

    `token` fences: only with that of the newest claim can anything of the partition be stored.
    """

    group: str
    topic: str
    partition: int
    offset: int
    token: int = 0
    #: which log the offset counts in: an offset of another log says nothing. "" where nobody said
    log_id: str = ""
    #: the last record that was stored, to know it again; "" where none was
    last_record: str = ""
