"""Events of the platform as they are read, and answers of its feed: right ones and odd ones."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from pointsman.config.confirmations import ConfirmationSettings, FeedSettings, WebhookPathSettings
from pointsman.domain.errors import InputRefused
from pointsman.outgoing.client import HttpReply
from pointsman.sources.confirmations import FeedClient, FeedQuery
from pointsman.sources.confirmations.feed_client import FeedUnavailable
from pointsman.statements.adapters import Path
from pointsman.store.confirmation_records import Span
from pointsman.wiring.confirmations import feed_event_reader, webhook_reader
from tests.support.manual_clock import ManualClock
from tests.support.thoroughness import thorough

SETTINGS = ConfirmationSettings(name="academy", secret=SecretStr("s" * 30), feed=FeedSettings())
assert SETTINGS.feed is not None
WEBHOOK, FEED = webhook_reader(SETTINGS), feed_event_reader(SETTINGS, SETTINGS.feed)
#: 2026-01-05T09:30:00Z
AT = 1_767_605_400_000_000


def webhook(timestamp: object = "2026-01-05T09:30:00Z", **more: object) -> dict[str, Any]:
    data = {"user": {"email": "ana@example.com"}, "course": {"id": "c"}}
    return {"event": "course.completed", "timestamp": timestamp, "data": data, **more}


@pytest.mark.parametrize(
    ("written", "at"),
    [
        ("2026-01-05T09:30:00Z", AT),
        ("2026-01-05T09:30:00", AT),
        ("2026-01-05t09:30:00z", AT),
        ("2026-01-05 09:30:00", AT),
        ("2026-01-05T10:30:00+01:00", AT),
        ("2026-01-05T09:30:00.1234567891Z", AT + 123_456),
        (1_767_605_400, AT),
        (1_767_605_400_000, AT),
        ("1767605400000", AT),
        (1_767_605_400.5, AT + 500_000),
        # a leap second, and the midnight that ends a day
        ("2016-12-31T23:59:60Z", 1_483_228_799_000_000),
        ("2026-01-04T24:00:00Z", AT - 34_200_000_000),
    ],
)
def test_a_time_is_read_in_every_dialect(written: object, at: int) -> None:
    event = WEBHOOK.read(webhook(written))
    assert event is not None
    assert event.at == at


@pytest.mark.parametrize(
    "written",
    ["soon", "2026-01-05", True, [], {}, -1, 1e300, 10**30, "", None, "2026-02-30T00:00Z"],
)
def test_what_is_no_time_is_refused_with_its_place(written: object) -> None:
    with pytest.raises(InputRefused, match="timestamp"):
        WEBHOOK.read(webhook(written))


def test_of_several_places_the_first_that_has_a_time_counts() -> None:
    paths = WebhookPathSettings(time=("data.completedAt", "timestamp"))
    reader = webhook_reader(SETTINGS.model_copy(update={"paths": paths}))
    event = reader.read(webhook())
    assert event is not None
    assert event.at == AT


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@given(
    event=st.sampled_from([*SETTINGS.meanings, "else"]) | JSON,
    time=JSON
    | st.sampled_from(["2016-12-31T23:59:60Z", "0001-01-01T00:00:00+14:00", 253402300800]),
    learner=JSON | st.emails(),
    course=JSON,
    data=st.none() | JSON,
)
@settings(max_examples=thorough(300, otherwise=60))
def test_whatever_an_event_holds_it_is_read_or_refused(
    event: object, time: object, learner: object, course: object, data: object
) -> None:
    """Anything else would stop a feed at this event for ever."""
    inside = {"user": {"email": learner}, "course": {"id": course}, "status": data, "topicId": data}
    made = {"event": event, "timestamp": time, "data": data or inside}
    action = {"source": event, "timestamp": time, "user": learner, "notifiableId": course}
    for reader, item in ((WEBHOOK, made), (FEED, action), (FEED, data)):
        with contextlib.suppress(InputRefused):
            reader.read(item)


class OneAnswer:
    """Gives the same answer to every request, and keeps the newest query."""

    def __init__(self, status: int, body: object, headers: Mapping[str, str] | None = None) -> None:
        content = body if isinstance(body, bytes) else orjson.dumps(body)
        self.reply = HttpReply(status, headers or {}, content)
        self.query: Mapping[str, str] = {}

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> HttpReply:
        assert (method, url) == ("GET", "http://platform/feed")
        assert headers is not None
        assert headers["Authorization"] == "Bearer the-api-key"
        self.query = query or {}
        return self.reply

    async def close(self) -> None: ...


def client(answer: OneAnswer) -> FeedClient:
    feed = FeedSettings()
    query = FeedQuery(
        url="http://platform/feed",
        api_key=SecretStr("the-api-key"),
        page_size=2,
        dates="milliseconds",
        events=tuple(map(Path.parse, feed.events)),
        page_info=tuple(map(Path.parse, feed.page_info)),
    )
    return FeedClient(query, answer, ManualClock())


SPAN = Span(1_000_000, 2_000_000, "here")


@pytest.mark.parametrize(
    ("answer", "cursor"),
    [
        ({"events": []}, ""),
        ({"events": [1], "pageInfo": {"hasMore": False, "cursor": "next"}}, ""),
        ({"events": [1, 2], "pageInfo": {"hasMore": True, "cursor": "next"}}, "next"),
        ({"events": [1, 2], "pageInfo": {"hasMore": True, "cursor": 7}}, "7"),
        ({"data": {"APIEvents": {"events": [1], "pageInfo": {"hasMore": False}}}}, ""),
        # a title that was cut in an emoji
        (rb'{"events": [{"title": "cut \ud83d"}]}', ""),
    ],
)
async def test_a_page_says_how_it_goes_on(answer: object, cursor: str) -> None:
    sent = OneAnswer(200, answer)
    assert (await client(sent).page(SPAN)).cursor == cursor
    assert sent.query == {"startDate": "1000", "endDate": "2000", "perPage": "2", "cursor": "here"}


@pytest.mark.parametrize(
    ("status", "answer", "words"),
    [
        (200, b"<html>", "is not JSON"),
        (200, [], "has no list at"),
        (200, {"events": {}}, "has no list at"),
        # what would be lost if this were taken for the end
        (200, {"events": [1, 2]}, "is full, and how it goes on is not said at"),
        (200, {"events": [], "pageInfo": {"hasMore": True}}, "no cursor that leads on"),
        (200, {"events": [], "pageInfo": {"hasMore": True, "cursor": "here"}}, "leads on"),
        (
            400,
            {"message": "perPage  is\n too the-api-key"},
            "HTTP 400: .*perPage is.* too \\*\\*\\*",
        ),
        (401, b"", "HTTP 401; see platform.api_key"),
        (503, b"", "HTTP 503"),
    ],
)
async def test_what_is_no_page_is_told_and_asked_for_again(
    status: int, answer: object, words: str
) -> None:
    with pytest.raises(FeedUnavailable, match=words) as refused:
        await client(OneAnswer(status, answer)).page(SPAN)
    assert refused.value.refuses_request is (status == 400)
    assert "the-api-key" not in str(refused.value)
