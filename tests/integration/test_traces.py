"""Spans from a request to the platform, in one process, as a collector would get them."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
from aiokafka import ConsumerRecord
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind
from structlog.testing import capture_logs

from pointsman.config import load
from pointsman.domain.clock import SystemClock
from pointsman.domain.errors import ConfigError, StoreUnavailable
from pointsman.domain.log_positions import Position
from pointsman.domain.records import Decision, InputOutcome, Item, Receipt, Submission
from pointsman.emulator import Emulator, HttpReply, builtin_catalogue
from pointsman.sources.batch import LogMessage
from pointsman.sources.kafka.messages import Message, read_records
from pointsman.sources.kafka.settings import KafkaSourceSettings
from pointsman.telemetry.settings import TracesSettings
from pointsman.traces import tracer as tracers
from pointsman.traces.inputs import TracedReader, TracedStore, traced_write
from pointsman.traces.tracer import MOST_LINKS, Tracer, add_trace_ids
from pointsman.wiring.tracing import NO_TRACES, log_processors, traces
from tests.support.manual_clock import ManualClock
from tests.support.running_daemon import ADL, API_KEY, running

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"
RULES = """
[traces]
enabled = true
[[rules]]
name = "lessons"
activity = "https://content.example.com/{topic}"
topic_id = "{topic}"
"""


class Listening(Emulator):
    """Notes the headers of what comes."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(builtin_catalogue(), **settings)
        self.seen: list[dict[str, str]] = []

    async def handle(self, **request: Any) -> HttpReply:
        self.seen.append({name.lower(): text for name, text in request["headers"].items()})
        return await super().handle(**request)


@pytest.fixture
def exporter(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    made = InMemorySpanExporter()
    monkeypatch.setattr(tracers, "new_exporter", lambda _settings: made)
    return made


def named(spans: Iterable[ReadableSpan], name: str) -> list[ReadableSpan]:
    return [span for span in spans if span.name == name]


def attributes(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def trace_of(span: ReadableSpan) -> int:
    assert span.context is not None
    return int(span.context.trace_id)


def header_of(span: ReadableSpan) -> str:
    """As W3C's Trace Context has it."""
    context = span.context
    assert context is not None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


async def test_a_statement_is_followed_from_its_request_to_the_platform(
    tmp_path: Path, exporter: InMemorySpanExporter
) -> None:
    emulator = Listening(api_key=API_KEY, clock=SystemClock())
    with capture_logs(processors=[add_trace_ids]) as lines:
        async with running(tmp_path, RULES, emulator=emulator) as daemon:
            answer = await daemon.session.post(
                f"{daemon.url}/xapi/statements",
                headers={
                    "Authorization": "Basic dXNlcjpzZWNyZXQ=",
                    "X-Experience-API-Version": "1.0.3",
                    "traceparent": PARENT,
                },
                json={
                    "actor": {"mbox": "mailto:ana@example.com"},
                    "verb": {"id": f"{ADL}completed"},
                    "object": {"id": "https://content.example.com/topic_demo_1"},
                },
            )
            assert answer.status == 200
            await daemon.session.get(f"{daemon.url}/readyz")
            await daemon.until(lambda: "delivery" in {line["event"] for line in lines})
    spans = exporter.get_finished_spans()

    (request,) = named(spans, "POST /xapi/statements")
    assert (trace_of(request), request.kind) == (int(TRACE, 16), SpanKind.SERVER)
    assert request.parent is not None
    assert request.parent.span_id == int(PARENT.split("-")[2], 16)
    assert attributes(request)["http.response.status_code"] == 200
    assert attributes(request)["pointsman.source"] == "players"
    (commit,) = named(spans, "commit")
    assert (trace_of(commit), commit.parent) == (int(TRACE, 16), request.context)
    assert attributes(commit)["pointsman.statements"] == 1
    assert not [span for span in spans if "readyz" in span.name]

    (deliver,) = named(spans, "deliver")
    assert [link.context for link in deliver.links] == [request.context]
    assert attributes(deliver)["pointsman.answer"] == "answered"
    (sent,) = named(spans, "POST")
    assert (sent.parent, sent.kind) == (deliver.context, SpanKind.CLIENT)
    assert attributes(sent)["http.response.status_code"] == 200
    told = [headers["traceparent"] for headers in emulator.seen if "traceparent" in headers]
    assert told == [header_of(sent)]

    everything = str([(span.name, attributes(span)) for span in spans])
    assert API_KEY not in everything
    assert "ana@example.com" not in everything
    # the lines of the log that are about it name its trace
    (line,) = [line for line in lines if line["event"] == "delivery"]
    assert line["trace_id"] == f"{trace_of(deliver):032x}"


class Stored:
    """A store, and a reader of messages, that keep what they get."""

    def __init__(self) -> None:
        self.submissions: list[Submission] = []
        self.fails = False

    async def prepare(self, bodies: Iterable[bytes]) -> None: ...

    def read_messages(self, messages: Sequence[LogMessage]) -> list[Submission]:
        return [self._read(message) for message in messages]

    def _read(self, message: LogMessage) -> Submission:
        item = Item(message.origin, 0, None, Decision(InputOutcome.NO_EFFECT))
        return Submission(message.source, message.body, 0, (item,), position=message.position)

    async def ingest(self, submissions: Sequence[Submission]) -> list[Receipt]:
        if self.fails:
            raise StoreUnavailable
        self.submissions += submissions
        return [Receipt({}) for _ in submissions]


class Reading(Stored):
    """The reader, whose `ingest` leads to the traced store, as the pipeline's does."""

    def __init__(self, store: TracedStore) -> None:
        super().__init__()
        self._store = store

    async def ingest(self, submissions: Sequence[Submission]) -> list[Receipt]:
        return await self._store.ingest(submissions)


def message(number: int, trace: dict[str, str] | None = None) -> LogMessage:
    place = Position("group", "lessons", 2, number + 1)
    return LogMessage("k", b"{}", f"statement-{number}", place, trace_headers=trace or {})


async def test_each_message_has_a_span_in_the_trace_of_its_header_and_the_commit_links_them(
    exporter: InMemorySpanExporter,
) -> None:
    tracer, store = Tracer(TracesSettings(enabled=True)), Stored()
    settings = KafkaSourceSettings(name="k", bootstrap_servers=("k:9092",), topics=("lessons",))
    reader = TracedReader(Reading(TracedStore(store, tracer)), settings, tracer)
    submissions = reader.read_messages([message(0, {"traceparent": PARENT}), message(1)])
    store.fails = True
    with pytest.raises(StoreUnavailable):
        await reader.ingest(submissions)
    store.fails = False
    await reader.ingest(submissions)
    many = reader.read_messages([message(number) for number in range(2, 2 + 2 * MOST_LINKS)])
    await reader.ingest(many)
    links = tracer.inputs_of([f"statement-{number}" for number in range(200)])
    tracer.close()
    spans = exporter.get_finished_spans()

    messages = named(spans, "process lessons")
    failed, again, alone = messages[0], messages[2], messages[3]
    assert [trace_of(span) == int(TRACE, 16) for span in (failed, again, alone)] == [
        *(True, True, False)
    ]
    assert attributes(failed)["error.type"] == "StoreUnavailable"
    assert attributes(again) == {
        "messaging.system": "kafka",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": "lessons",
        "messaging.destination.partition.id": "2",
        "messaging.consumer.group.name": "pointsman",
        "messaging.message.body.size": 2,
        "messaging.kafka.offset": 0,
        "pointsman.source": "k",
    }
    assert again.kind is SpanKind.CONSUMER
    commits = named(spans, "commit")
    assert [link.context for link in commits[1].links] == [again.context, alone.context]
    assert len(commits[2].links) == MOST_LINKS == len(links)
    assert len(store.submissions) == 2 + len(many)


async def test_a_message_that_is_written_carries_the_trace_on(
    exporter: InMemorySpanExporter,
) -> None:
    written: list[tuple[str, bytes]] = []

    async def write(_body: bytes, headers: list[tuple[str, bytes]]) -> None:
        written.extend(headers)

    tracer = Tracer(TracesSettings(enabled=True))
    await traced_write(write, "lessons", ["k:9092"], tracer)(b"{}", [("source", b"players")])
    tracer.close()

    (span,) = exporter.get_finished_spans()
    assert (span.name, span.kind) == ("send lessons", SpanKind.PRODUCER)
    assert written == [("source", b"players"), ("traceparent", header_of(span).encode())]


def test_a_record_of_kafka_brings_its_trace_and_nothing_else_of_its_headers() -> None:
    read: list[LogMessage] = []

    class Reader(Stored):
        def read_messages(self, messages: Sequence[LogMessage]) -> list[Submission]:
            read.extend(messages)
            return super().read_messages(messages)

    settings = KafkaSourceSettings(name="k", bootstrap_servers=("k:9092",), topics=("lessons",))
    headers = (("traceparent", PARENT.encode()), ("baggage", b"learner=ana"))
    record = ConsumerRecord("lessons", 0, 7, 0, 0, None, b"{}", None, 0, 2, headers)
    after = Position("g", "lessons", 0, 8)
    read_records(Reader(), settings, [Message(record, after)], ManualClock())

    assert [dict(one.trace_headers) for one in read] == [{"traceparent": PARENT}]


SETTINGS = """
[platform]
url = "http://127.0.0.1:9"
api_key = "key"
[learners.tokens]
inline = {}
[[sources.http]]
name = "players"
credentials = [{ key = "user", secret = "secret" }]
"""


def test_they_are_off_by_default_and_name_the_extra_where_it_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "pointsman.toml"
    path.write_text(SETTINGS)
    off = load(path)
    path.write_text(f"{SETTINGS}[traces]\nenabled = true\n")
    on = load(path)

    assert traces(off) is NO_TRACES
    assert (log_processors(off), log_processors(on)) == ((), (add_trace_ids,))
    for name in [name for name in sys.modules if name.startswith("pointsman.traces")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    monkeypatch.setitem(sys.modules, "opentelemetry.context", None)
    with pytest.raises(ConfigError, match=r"pip install 'pointsman\[otel\]'"):
        traces(on)
