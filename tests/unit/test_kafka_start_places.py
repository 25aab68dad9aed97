"""Where reading starts in a partition, by what is stored and what the topic is now."""

from __future__ import annotations

import pytest
from aiokafka import ConsumerRecord
from hypothesis import given
from hypothesis import strategies as st

from pointsman.domain.log_positions import UNREAD, WHOLE_TOPIC, Position
from pointsman.sources.kafka.metadata_request import NO_ID
from pointsman.sources.kafka.start_positions import (
    RecordMark,
    StartAt,
    start_places,
    whole_topics,
)
from pointsman.sources.kafka.topic_logs import TopicLog, is_same_log, log_id

NOW = TopicLog("c/now", 2)
MISSING = TopicLog("", 0, "UnknownTopicOrPartitionError")


def at(offset: int, stored_log: str = "", partition: int = 1) -> Position:
    return Position("g", "t", partition, offset, 7, stored_log)


def whole(partitions: int, stored_log: str = "c/now") -> Position:
    return at(partitions, stored_log, WHOLE_TOPIC)


@pytest.mark.parametrize(
    ("stored", "topic_row", "log", "start"),
    [
        (at(5, "c/now"), whole(2), NOW, StartAt.STORED),
        (at(5, "c/old"), whole(2, "c/old"), NOW, StartAt.RESET),
        (at(5, "other/now"), whole(2), NOW, StartAt.RESET),
        (at(0, "c/old"), whole(2, "c/old"), NOW, StartAt.RESET),
        # of the version before, which knew no log
        (at(5), whole(UNREAD), NOW, StartAt.STORED),
        (at(UNREAD), whole(UNREAD), NOW, StartAt.COMMIT_OR_RESET),
        # a broker that tells no topic ids, before or now
        (at(5, "c/"), whole(2, "c/"), NOW, StartAt.STORED),
        (at(5, "c/now"), whole(2), TopicLog("c/", 2), StartAt.STORED),
        (at(5, "other/"), whole(2, "other/"), NOW, StartAt.RESET),
        # there when the group came, and silent since
        (at(UNREAD), whole(2), NOW, StartAt.COMMIT_OR_RESET),
        # added since
        (at(UNREAD), whole(1), NOW, StartAt.BEGINNING),
        # the topic was made anew with more partitions: it is as new as all of it
        (at(UNREAD), whole(1, "c/old"), NOW, StartAt.COMMIT_OR_RESET),
        # the topic was made anew with fewer partitions, and this one was added to it since
        (at(5, "c/old"), whole(1), NOW, StartAt.BEGINNING),
        (at(5, "c/now"), whole(2), MISSING, StartAt.ABSENT),
        (at(UNREAD), whole(UNREAD), MISSING, StartAt.ABSENT),
        # made anew with fewer partitions, and the group does not know yet
        (at(5, "c/old"), whole(2, "c/old"), TopicLog("c/now", 1), StartAt.ABSENT),
    ],
)
def test_where_a_partition_starts(
    stored: Position, topic_row: Position, log: TopicLog, start: StartAt
) -> None:
    (decided,) = start_places([stored, topic_row], {"t": log})
    assert decided.at is start
    # what is absent keeps its log: what comes in its place is another one
    assert decided.log_id == (stored.log_id if start is StartAt.ABSENT else log.log_id)


@pytest.mark.parametrize(
    ("row", "log", "partitions"),
    [
        (whole(UNREAD), NOW, [2]),
        (whole(1), NOW, []),
        (whole(1, "c/old"), NOW, [2]),
        (whole(UNREAD), MISSING, []),
    ],
    ids=["new", "known", "made anew", "missing"],
)
def test_a_topic_is_counted_when_the_group_comes_to_it(
    row: Position, log: TopicLog, partitions: list[int]
) -> None:
    assert [one.offset for one in whole_topics([at(3), row], {"t": log})] == partitions


@pytest.mark.parametrize(
    ("cluster", "topic", "text"),
    [
        ("C", bytes(range(16)), "C/AAECAwQFBgcICQoLDA0ODw"),
        ("C", NO_ID, "C/"),
        (None, NO_ID, "/"),
    ],
)
def test_a_log_id_is_written_as_kafkas_tools_print_ids(
    cluster: str | None, topic: bytes, text: str
) -> None:
    assert log_id(cluster, topic) == text


_PART = st.sampled_from(["", "a", "b"])


@given(st.tuples(_PART, _PART), st.tuples(_PART, _PART))
def test_two_logs_are_parted_only_by_what_both_say(
    one: tuple[str, str], other: tuple[str, str]
) -> None:
    parted = any(x and y and x != y for x, y in zip(one, other, strict=True))
    assert is_same_log("/".join(one), "/".join(other)) is not parted
    assert is_same_log("/".join(other), "/".join(one)) is not parted
    assert is_same_log("", "/".join(one))


def record(offset: int, timestamp: int, value: bytes | None) -> ConsumerRecord:
    return ConsumerRecord("t", 0, offset, timestamp, 0, None, value, None, 0, 0, ())


@given(st.integers(0, 2**63 - 1), st.integers(-1, 2**63 - 1), st.none() | st.binary(max_size=9))
def test_a_mark_is_read_as_it_was_written(offset: int, timestamp: int, value: bytes | None) -> None:
    mark = RecordMark.of(record(offset, timestamp, value))
    assert RecordMark.from_text(str(mark)) == mark
    assert RecordMark.text_of(record(offset, timestamp, value)) == str(mark)


def test_records_that_differ_in_time_or_value_have_other_marks() -> None:
    records = [record(7, 1, b"a"), record(7, 2, b"a"), record(7, 1, b"b"), record(7, 1, None)]
    assert len({RecordMark.of(one) for one in records}) == len(records)


def test_where_nothing_was_stored_there_is_no_mark() -> None:
    assert RecordMark.from_text("") is None
