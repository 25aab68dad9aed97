"""A line that comes again and again is shown once, then ever more seldom with a count."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest
import structlog

from pointsman.telemetry import logs
from pointsman.telemetry.repeated_lines import RepeatedLines
from pointsman.telemetry.settings import LoggingSettings
from tests.support.manual_clock import ManualClock

TWO_HOURS = 7200


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def lines(clock: ManualClock) -> Iterator[list[str]]:
    """What a logger "client" lets through the filter."""
    shown: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            shown.append(record.getMessage())

    handler = Keep()
    handler.addFilter(RepeatedLines(clock))
    logger = logging.getLogger("client")
    logger.addHandler(handler)
    logger.propagate = False
    yield shown
    logger.removeHandler(handler)
    logger.propagate = True


client = logging.getLogger("client")


def test_an_error_of_every_second_for_two_hours_is_ten_lines(
    clock: ManualClock, lines: list[str]
) -> None:
    for _ in range(TWO_HOURS):
        for _ in range(7):
            client.error("Topic %s not found in cluster metadata", "lessons")
        clock.advance(1)
    assert 5 <= len(lines) <= 10
    assert lines[0] == "Topic lessons not found in cluster metadata"
    assert lines[1] == f"{lines[0]} (69 more like it since the last such line)"


def test_the_pauses_grow_to_an_hour_and_no_further(clock: ManualClock, lines: list[str]) -> None:
    shown_at = []
    for second in range(0, 100_000, 10):
        before = len(lines)
        client.error("away")
        if len(lines) > before:
            shown_at.append(second)
        clock.advance(10)
    pauses = [later - earlier for earlier, later in pairwise(shown_at)]
    assert pauses[:4] == [10, 20, 40, 80]
    assert pauses == sorted(pauses)
    assert pauses[-1] == 3600


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("correlation 17 of broker 3", "correlation 18 of broker 4"),
        ("waited 0.25 s", "waited 12.5 s"),
        ("<Connection at 0x7f00a1>", "<Connection at 0x7f00b2>"),
    ],
)
def test_lines_that_differ_in_numbers_only_are_the_same(
    lines: list[str], one: str, other: str
) -> None:
    client.error(one)
    client.error(other)
    assert lines == [one]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Topic lessons-1 not found", "Topic lessons-2 not found"),
        ("Unable connect to 127.0.0.1:9092", "Unable connect to 127.0.0.1:9093"),
        ("no token for ana", "no token for ben"),
        ("partition lessons/1", "partition lessons/2"),
    ],
)
def test_lines_that_name_different_things_are_both_shown(
    lines: list[str], one: str, other: str
) -> None:
    client.error(one)
    client.error(other)
    assert lines == [one, other]


def test_a_warning_does_not_hold_back_an_error_of_the_same_words(lines: list[str]) -> None:
    client.warning("away")
    client.error("away")
    assert lines == ["away", "away"]


def test_information_is_never_held_back(lines: list[str]) -> None:
    client.setLevel(logging.INFO)
    for _ in range(3):
        client.info("taken")
    assert lines == ["taken"] * 3


def test_after_a_long_quiet_the_line_is_news_again(clock: ManualClock, lines: list[str]) -> None:
    client.error("away")
    client.error("away")
    clock.advance(60)
    client.error("away")
    assert lines == ["away", "away (1 more like it since the last such line)"]
    clock.advance(60)
    client.error("away")
    assert lines[2:] == ["away"]


def test_it_forgets_lines_rather_than_grow_without_end(lines: list[str]) -> None:
    for number in range(3_000):
        client.error("topic t%d", number)
    assert len(lines) == 3_000
    client.error("topic t%d", 0)
    assert len(lines) == 3_001


@pytest.fixture
def configured(
    clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], list[dict[str, object]]]]:
    """The daemon's own logging; what it has written."""
    output = io.StringIO()
    monkeypatch.setattr("sys.stdout", output)
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    logs.configure(LoggingSettings(), clock)
    # loggers of modules must not keep it for the tests that follow
    structlog.configure(**structlog.get_config() | {"cache_logger_on_first_use": False})
    yield lambda: [json.loads(line) for line in output.getvalue().splitlines()]
    root.handlers[:] = before
    root.setLevel(level)
    structlog.reset_defaults()


def test_lines_of_our_own_say_how_many_were_held_back(
    clock: ManualClock, configured: Callable[[], list[dict[str, object]]]
) -> None:
    log = structlog.get_logger("pointsman.test")
    for failures in range(1, 6):
        log.warning("can't read", source="events", part="topic a", failures=failures)
    log.warning("can't read", source="events", part="topic b", failures=1)
    clock.advance(10)
    log.warning("can't read", source="events", part="topic a", failures=6)
    assert [(line["part"], line.get("held_back")) for line in configured()] == [
        ("topic a", None),
        ("topic b", None),
        ("topic a", 4),
    ]


def test_lines_of_two_partitions_are_both_shown(
    configured: Callable[[], list[dict[str, object]]],
) -> None:
    log = structlog.get_logger("pointsman.test")
    for partition in (0, 1, 0):
        log.error("out of range", topic="t", partition=partition, offset=partition)
    assert [line["partition"] for line in configured()] == [0, 1]


@pytest.mark.parametrize("name", ["aiokafka", "aiokafka.cluster", "asyncpg", "aiohttp.client"])
def test_the_lines_of_every_client_pass_the_filter(
    configured: Callable[[], list[dict[str, object]]], name: str
) -> None:
    for attempt in range(100):
        logging.getLogger(name).error("attempt %d to reach db.example.com failed", attempt)
    (line,) = configured()
    assert line["event"] == "attempt 0 to reach db.example.com failed"


def test_each_delivery_keeps_its_line(
    configured: Callable[[], list[dict[str, object]]],
) -> None:
    log = structlog.get_logger("pointsman.delivery")
    for _ in range(3):
        log.warning("delivery", learner="ana", answer="rate_limited")
    assert len(configured()) == 3
