"""Judges Kafka: brokers, topics, rights, lag. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from pointsman.doctor.findings import NotChecked, Result, fail, ok, warn

#: bits of Kafka's authorized operations (AclOperation of KIP-430)
READ, WRITE, DESCRIBE = 3, 4, 8
#: the brokers did not say
UNKNOWN_OPERATIONS = -(2**31)
#: messages; more is worth a look
_MUCH = 10_000


@dataclass(frozen=True, slots=True)
class TopicFacts:
    """`error` is Kafka's name of it, "" without; `operations` are bits, None where not told."""

    error: str = ""
    partitions: int = 0
    operations: int | None = None

    def refuses(self, operation: int) -> bool:
        return self.operations is not None and not self.operations >> operation & 1


@dataclass(frozen=True, slots=True)
class BrokerFacts:
    """One cluster, as one section of the configuration uses it.

    `lag` is by (topic, partition); `group_error` is Kafka's name of why the group can't be asked.
    """

    section: str
    servers: str
    topics: Mapping[str, TopicFacts] = field(default_factory=dict)
    operation: int = READ
    #: "" where the section has no group
    group: str = ""
    group_error: str = ""
    lag: Mapping[tuple[str, int], int] = field(default_factory=dict)
    #: partitions of which no position is known yet
    unread: Collection[tuple[str, int]] = ()
    #: why no broker gave an answer; "" when one did
    problem: str = ""


def judge_broker(facts: BrokerFacts) -> Iterator[Result]:
    """A line for the brokers, and one for each topic, the group and the lag."""
    if facts.problem:
        yield fail(
            "broker",
            f"no broker of {facts.servers} answers: {facts.problem}",
            f"see that one of {facts.section}.bootstrap_servers runs and can be reached, and that "
            f"{facts.section}.security is what that listener wants",
        )
        return
    yield ok("broker", f"{facts.servers} answers")
    for name, topic in facts.topics.items():
        yield from _topic(facts, name, topic)
    if facts.group:
        yield from _group(facts)


def _topic(facts: BrokerFacts, name: str, topic: TopicFacts) -> Iterator[Result]:
    verb = "READ" if facts.operation == READ else "WRITE"
    cure = (
        f"allow the user of {facts.section}.security: kafka-acls.sh --bootstrap-server "
        f"{facts.servers.split(',')[0]} --add --allow-principal User:NAME --operation {verb} "
        f"--operation DESCRIBE --topic {name}"
    )
    match topic.error:
        case "":
            if topic.refuses(facts.operation):
                yield fail("topic", f"the brokers do not let us {verb} the topic {name}", cure)
            else:
                yield ok("topic", f"{name} is there, with {topic.partitions} partitions")
        case "UnknownTopicOrPartitionError":
            yield fail(
                "topic",
                f"the topic {name} does not exist",
                f"create it, or correct {facts.section}.topic(s): kafka-topics.sh "
                f"--bootstrap-server {facts.servers.split(',')[0]} --create --topic {name}",
            )
        case "TopicAuthorizationFailedError":
            yield fail("topic", f"the brokers refuse us the topic {name}", cure)
        case error:
            yield fail(
                "topic",
                f"the topic {name} can't be read: {error}",
                "look at the brokers' log; LeaderNotAvailable passes when its broker is back",
            )


def _group(facts: BrokerFacts) -> Iterator[Result]:
    if facts.group_error:
        if "Authorization" in facts.group_error:
            yield fail(
                "group",
                f"the brokers refuse us the group {facts.group}",
                f"allow the user of {facts.section}.security: kafka-acls.sh --add "
                f"--allow-principal User:NAME --operation READ --group {facts.group}",
            )
        else:
            yield NotChecked("lag", f"the group {facts.group} can't be asked: {facts.group_error}")
        return
    behind = sum(facts.lag.values())
    if not facts.lag:
        if any(not topic.error for topic in facts.topics.values()):
            yield NotChecked("lag", f"the group {facts.group} has read nothing yet")
        return
    words = f"the group {facts.group} is {behind:,} messages behind, in {len(facts.lag)} partitions"
    if behind > _MUCH:
        yield warn(
            "lag",
            words,
            "see that `pointsman run` runs, and the log for `kafka source`; more replicas share "
            "the partitions",
        )
    else:
        yield ok("lag", words)
