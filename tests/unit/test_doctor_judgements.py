"""What `pointsman doctor` makes of facts: a level, words, and a cure for what is not right."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from pointsman.doctor import Finding, Level, NotChecked, Report, Result
from pointsman.doctor.broker import READ, WRITE, BrokerFacts, TopicFacts, judge_broker
from pointsman.doctor.catalogue import MOST_ASKED, RuleNames, judge_rules, judge_token, to_ask
from pointsman.doctor.certificates import Certificate, judge_certificate
from pointsman.doctor.listeners import OperatorFacts, PublicFacts, judge_operator, judge_public
from pointsman.doctor.platform import PlatformFacts, judge_platform
from pointsman.doctor.store import (
    Room,
    judge_books,
    judge_log,
    judge_replicas,
    judge_room,
    judge_schema,
)
from pointsman.domain.targets import ReadBackPlace
from pointsman.platforms.base import PlatformAnswer, RateReading, RequestOutcome
from pointsman.platforms.examiner import LookUp

DAY = 86_400.0
ANSWERED = PlatformAnswer(RequestOutcome.ANSWERED, rate=RateReading(points_left=90_000))
PLATFORM = PlatformFacts("https://learn.example.com/helium", ANSWERED, 100.0, 100.5, 100.0, 100_000)
BROKER = BrokerFacts("sources.kafka", "kafka:9092", {"lessons": TopicFacts(partitions=3)})
COURSE, PATH = ReadBackPlace.course("course_1"), ReadBackPlace.path("path-1")
RULE = RuleNames("lessons", "course_id", "course_1", "course_1", topic="topic_1")


def answer(outcome: RequestOutcome, message: str = "", left: int | None = 90_000) -> PlatformFacts:
    made = PlatformAnswer(outcome, rate=RateReading(points_left=left), message=message)
    return replace(PLATFORM, answer=made)


def offset(seconds: float) -> PlatformFacts:
    """The platform's clock is so much ahead of ours."""
    return replace(PLATFORM, server_time=100.0 + seconds)


def topic(error: str = "", operations: int | None = None, operation: int = READ) -> BrokerFacts:
    return replace(
        BROKER, topics={"lessons": TopicFacts(error, 3, operations)}, operation=operation
    )


def lag(messages: int) -> BrokerFacts:
    return replace(BROKER, group="pointsman", lag={("lessons", 0): messages})


CERTIFICATE = Certificate("learn.example.com", "have it renewed", 100 * DAY)
PUBLIC = PublicFacts("https://lrs.example.com", "http.public_url", "", 200, "ours")
OPERATOR = OperatorFacts("http://127.0.0.1:8081", "", is_pointsman=True)
#: facts, the check that says something, how bad it is, and what its words and its cure have
JUDGEMENTS: dict[str, tuple[Iterable[Result], str, str, str, str]] = {
    "all well": (judge_platform(PLATFORM), "platform", "ok", "knows platform.api_key", ""),
    "a refused key": (
        judge_platform(answer(RequestOutcome.KEY_REFUSED, "the apiKey is wrong")),
        *("platform", "fail", "refuses platform.api_key: the apiKey is wrong", "api_key_file"),
    ),
    "no answer": (
        judge_platform(answer(RequestOutcome.UNREACHABLE, "refused")),
        *("platform", "fail", "no good answer: refused", "platform.url"),
    ),
    "no quota left": (
        judge_platform(answer(RequestOutcome.THROTTLED, "wait")),
        *("platform", "warn", "used up", "platform.limits.share"),
    ),
    "clocks that agree": (judge_platform(offset(4)), "clock", "ok", "agrees", ""),
    "a clock that is a little off": (
        judge_platform(offset(20)),
        *("clock", "warn", "20 s behind", "timedatectl"),
    ),
    "a clock that is far off": (
        judge_platform(offset(-600)),
        *("clock", "fail", "599 s ahead of", "timedatectl"),
    ),
    "a quota that is told": (judge_platform(PLATFORM), "quota", "ok", "90,000 of 100,000", ""),
    "a quota that is not told": (
        judge_platform(answer(RequestOutcome.ANSWERED, left=None)),
        *("quota", "warn", "does not say", "X-RateLimit-Remaining"),
    ),
    "a larger quota than is set": (
        judge_platform(answer(RequestOutcome.ANSWERED, left=150_000)),
        *("quota", "warn", "more than", "platform.limits.points_per_minute"),
    ),
    "little of the quota left": (
        judge_platform(answer(RequestOutcome.ANSWERED, left=5_000)),
        *("quota", "warn", "5,000 of 100,000", "pointsman platform budget"),
    ),
    "a token that is taken": (
        [judge_token("ana", LookUp(ANSWERED))],
        *("learner's token", "ok", "takes", ""),
    ),
    "a token that is refused": (
        [judge_token("ana", LookUp(PlatformAnswer(RequestOutcome.TOKEN_REFUSED, message="old")))],
        *("learner's token", "fail", "of ana: old", "pointsman platform login ana"),
    ),
    "a course that is not there": (
        judge_rules([RULE], [COURSE], LookUp(ANSWERED, {COURSE: "no such course"}), []),
        *("rules", "fail", "no course 'course_1'", "of the rule 'lessons'"),
    ),
    "a path that is not there": (
        judge_rules(
            [RuleNames("paths", path="path-1")], [PATH], LookUp(ANSWERED, {PATH: "none"}), []
        ),
        *("rules", "fail", "no learning path 'path-1'", "learning_path_slug of the rule 'paths'"),
    ),
    "what is there": (
        judge_rules([RULE], [COURSE, PATH], LookUp(ANSWERED), []),
        *("rules", "ok", "has course:course_1, path:path-1", ""),
    ),
    "a long log": (
        [judge_log(300_000_000)],
        "store's log",
        "warn",
        "300 MB are in",
        "what reads it",
    ),
    "a short log": ([judge_log(64_000_000)], "store's log", "ok", "64 MB are in", ""),
    "room": ([judge_room(Room("/data", 50, 100))], "store's room", "fail", "the disk is full", "r"),
    "little room": (
        [judge_room(Room("/data", 5 * 10**9, 100 * 10**9))],
        *("store's room", "warn", "5,000 MB (5%)", "store.retention_days"),
    ),
    "enough room on a large volume": (
        [judge_room(Room("/data", 50 * 10**9, 1000 * 10**9))],
        *("store's room", "ok", "50,000 MB", ""),
    ),
    "an older schema": (
        [judge_schema(3, 17)],
        *("store's schema", "fail", "schema 3", "pointsman db upgrade"),
    ),
    "a newer schema": (
        [judge_schema(18, 17)],
        *("store's schema", "fail", "up to 17", "newer version"),
    ),
    "books that do not balance": (
        [judge_books(balanced=False, accepted=3, desired=2, problems=["one is missing"])],
        *("store's books", "fail", "one is missing", "pointsman verify --json"),
    ),
    "a replica with another file": (
        judge_replicas([("a/1", "http.port needs a restart")], 2),
        *("reload", "fail", "a/1 does not run its file", "pointsman reload"),
    ),
    "a broker that is away": (
        judge_broker(replace(BROKER, problem="refused")),
        *("broker", "fail", "kafka:9092 answers: refused", "sources.kafka.bootstrap_servers"),
    ),
    "a topic that is not there": (
        judge_broker(topic("UnknownTopicOrPartitionError")),
        *("topic", "fail", "lessons does not exist", "--create --topic lessons"),
    ),
    "a topic that is refused": (
        judge_broker(topic("TopicAuthorizationFailedError")),
        *("topic", "fail", "refuse us the topic lessons", "--operation READ"),
    ),
    "a topic that may only be described": (
        judge_broker(topic(operations=1 << 8)),
        *("topic", "fail", "do not let us READ", "--operation READ"),
    ),
    "a topic that may only be read": (
        judge_broker(topic(operations=1 << READ | 1 << 8, operation=WRITE)),
        *("topic", "fail", "do not let us WRITE", "--operation WRITE"),
    ),
    "a topic with all rights": (
        judge_broker(topic(operations=1 << READ | 1 << 8)),
        *("topic", "ok", "with 3 partitions", ""),
    ),
    "a group that is refused": (
        judge_broker(
            replace(BROKER, group="pointsman", group_error="GroupAuthorizationFailedError")
        ),
        *("group", "fail", "the group pointsman", "--operation READ --group pointsman"),
    ),
    "a small lag": (judge_broker(lag(3)), "lag", "ok", "3 messages behind", ""),
    "a large lag": (judge_broker(lag(20_000)), "lag", "warn", "20,000 messages", "pointsman run"),
    "a certificate that is good": (
        judge_certificate(CERTIFICATE, 0),
        *("certificate", "ok", "good for 100 days", ""),
    ),
    "a certificate that ends soon": (
        judge_certificate(CERTIFICATE, 90 * DAY),
        *("certificate", "warn", "ends in 10 days", "have it renewed"),
    ),
    "a certificate that has ended": (
        judge_certificate(CERTIFICATE, 103 * DAY),
        *("certificate", "fail", "ended 3 days ago", "have it renewed"),
    ),
    "a certificate that is not trusted": (
        judge_certificate(
            replace(CERTIFICATE, problem="unknown authority", trust_cure="platform.ca_file"), 0
        ),
        *("certificate", "fail", "unknown authority", "platform.ca_file"),
    ),
    "an address that leads here": (judge_public(PUBLIC, "ours"), "public URL", "ok", "leads", ""),
    "an address that leads to another": (
        judge_public(replace(PUBLIC, installation="other"), "ours"),
        *("public URL", "fail", "another installation", "http.public_url"),
    ),
    "an address of something else": (
        judge_public(replace(PUBLIC, installation=""), "ours"),
        *("public URL", "fail", "(HTTP 200) is not pointsman", "http.public_url"),
    ),
    "an address that leads nowhere": (
        judge_public(replace(PUBLIC, problem="no route"), "ours"),
        *("public URL", "fail", "no route", "http.public_url"),
    ),
    "a daemon that is not ready": (
        judge_operator(replace(OPERATOR, reason="the disk is full")),
        *("operator listener", "fail", "the disk is full", "by itself"),
    ),
    "another program on the port": (
        judge_operator(replace(OPERATOR, is_pointsman=False)),
        *("operator listener", "fail", "is not pointsman", "http.port"),
    ),
    "nothing on the port": (
        judge_operator(replace(OPERATOR, problem="refused")),
        *("operator listener", "fail", "nothing answers", "pointsman run"),
    ),
}


@pytest.mark.parametrize("name", JUDGEMENTS)
def test_facts_become_a_line_with_a_level_and_a_cure(name: str) -> None:
    results, check, level, words, cure = JUDGEMENTS[name]
    findings = [row for row in results if isinstance(row, Finding)]

    assert [
        (row.level, words in row.words, cure in row.cure) for row in findings if row.check == check
    ] == [(Level(level), True, True)]
    for row in findings:
        assert bool(row.cure) is (row.level is not Level.OK), "what is not ok has a cure"


def test_metrics_that_are_open_to_outside_are_a_warning() -> None:
    levels = [row.level for row in judge_public(replace(PUBLIC, shows_metrics=True), "ours")]

    assert levels == [Level.OK, Level.WARN]


def test_constants_are_asked_for_first_and_a_few_only() -> None:
    seen = [ReadBackPlace.course(f"course_{number}") for number in range(10)]

    asked = to_ask([replace(RULE, read_back="course_9", path="path-1")], seen)

    assert asked[0] == ReadBackPlace.course("course_9")
    assert asked[-1] == PATH
    assert len(asked) == MOST_ASKED + 1


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        (RuleNames("a", "course_slug", "{c}"), "course_slug can't be asked for"),
        (RuleNames("a", "course_id", "{c}", "{c}"), "none was delivered yet"),
        (RULE, "the first delivery tells whether topic_1 is there"),
    ],
)
def test_what_could_not_be_asked_is_named_with_the_reason(rule: RuleNames, why: str) -> None:
    rows = [row for row in judge_rules([rule], [], None, []) if isinstance(row, NotChecked)]

    assert [(row.check, why in row.why) for row in rows] == [(f"rules: {rule.rule}", True)]


def test_topics_that_criteria_name_are_told_where_a_topic_is_not_known() -> None:
    look_up = LookUp(ANSWERED, {}, {"course_1": frozenset({"topic_7"})})

    (row,) = [row for row in judge_rules([RULE], [], look_up, []) if isinstance(row, NotChecked)]

    assert "criteria of the course name topic_7" in row.why


def test_a_report_counts_and_becomes_json() -> None:
    report = Report([*judge_platform(PLATFORM)], [NotChecked("lag", "why")], 3, 2)

    shown = report.as_json()

    assert shown["ok"] is True
    assert shown["notChecked"] == [{"check": "lag", "why": "why"}]
    assert shown["spent"] == {"points": 3, "requests": 2}
    assert {row["level"] for row in shown["findings"]} == {"ok"}
