"""The typed calls, each over HTTP against the emulator with its built-in catalogue."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from pointsman.domain.clock import SystemClock
from pointsman.domain.errors import InputRefused
from pointsman.emulator import Emulator, builtin_catalogue
from pointsman.emulator.server import serve
from pointsman.platforms.base import RequestOutcome
from pointsman.platforms.helium import HttpTransport
from pointsman.platforms.helium.login import HeliumLogin
from pointsman.platforms.helium.operations import OPERATIONS
from pointsman.platforms.settings import PlatformSettings
from tests.support.helium_mutations import HeliumMutations

KEY = "the-api-key"
PATH = "data-science-professional-certificate"


@dataclass
class World:
    calls: HeliumMutations
    emulator: Emulator
    token: str
    url: str


@pytest.fixture
async def world() -> AsyncIterator[World]:
    emulator = Emulator(builtin_catalogue(), api_key=KEY, clock=SystemClock())
    async with serve(emulator, host="127.0.0.1", port=0) as url:
        calls = HeliumMutations(_transport(url), SystemClock())
        yield World(calls, emulator, emulator.issue_token("ana@example.com"), url)
        await calls.close()


def _transport(url: str, key: str = KEY) -> HttpTransport:
    return HttpTransport(
        PlatformSettings(url=f"{url}/helium", api_key=key, timeout_seconds=5), connections=2
    )


async def test_every_operation_is_called_and_read(world: World) -> None:
    calls, token = world.calls, world.token
    assert (await calls.update_topic_and_course_progress("topic_history_1", 100, token)).data
    for course in ("course_abc123", "course_def456"):
        assert (await calls.update_course_status("completed", token, course_id=course)).data
    assert (await calls.update_learning_path_access(PATH, "started", token)).data
    assert (await calls.archive_course("course_789", token)).data == "course_789"
    assert (await calls.reinstate_course("course_789", token)).data == "course_789"
    assert (await calls.archive_learning_path("lp_456", token)).data == "lp_456"
    assert (await calls.reinstate_learning_path("lp_456", token)).data == "lp_456"
    user = await calls.update_meeting_attendance("user_ana", "mtg_111aaa", attended=True)
    assert user.data is not None
    assert user.data.email == "ana@example.com"
    done = await calls.milestone_completions(PATH, token)
    assert done.data is not None
    assert [one.milestone.id for one in done.data if one.milestone] == ["milestone_001"]
    path = await calls.learning_path_by_slug(PATH, token)
    assert path.data is not None
    assert path.data.current_user_start_action_date is not None
    assert [price.unit_amount for price in path.data.prices] == [49_900]
    milestone = await calls.milestone("milestone_001")
    assert milestone.data is not None
    assert milestone.data.learning_path.slug == PATH
    pages = await calls.pages_completed("course_789", token)
    assert pages.data is not None
    assert [(one.typename, one.id) for one in pages.data] == [("ArticlePage", "topic_history_1")]
    criteria = await calls.completion_progress("course_456", token)
    assert criteria.data is not None
    assert [one.percent for one in criteria.data] == [0, 0, 0]
    progress = await calls.course_progress("course_789", token)
    assert progress.data is not None
    assert progress.data.percent_complete == 100
    made = await calls.create_learning_path("Mine", [{"name": "M", "courseIds": ["crs_01ABC"]}])
    assert made.data is not None
    assert (made.data.slug, made.data.status) == ("mine", "draft")
    ran = {one.name for one in world.emulator.history}
    assert ran == {name for name, one in OPERATIONS.items() if one.kind == "mutation"}


async def test_what_is_refused_comes_back_in_the_platforms_words(world: World) -> None:
    reply = await world.calls.learning_path_by_slug("nowhere")
    assert reply.data is None
    assert reply.message == "NOT_FOUND: there is no learning path with the slug 'nowhere'"
    gone = await world.calls.course_progress("course_789", "a-bad-token")
    assert gone.answer.outcome is RequestOutcome.TOKEN_REFUSED
    null = await world.calls.archive_course("nothing", world.token)
    assert null.data is None
    assert "null" in null.message


async def test_a_course_is_named_once_and_its_status_is_never_from_the_future(
    world: World,
) -> None:
    with pytest.raises(InputRefused, match="exactly one"):
        await world.calls.update_course_status("started", world.token)
    with pytest.raises(InputRefused, match="exactly one"):
        await world.calls.update_course_status("started", world.token, slug="a", sku="b")
    with pytest.raises(InputRefused, match="future"):
        await world.calls.update_course_status(
            "started", world.token, slug="a", status_change_date=datetime(2999, 1, 1, tzinfo=UTC)
        )


async def test_a_probe_tells_a_bad_key_and_what_is_left(world: World) -> None:
    good = await world.calls.probe()
    assert good.answer.rate.points_left == 99_999
    assert good.answer.rate.resets_in is not None
    stranger = HeliumMutations(_transport(world.url, "wrong"), SystemClock())
    bad = await stranger.probe()
    assert bad.data is None
    assert bad.answer.outcome is RequestOutcome.TOKEN_REFUSED
    assert bad.message
    await stranger.close()


async def test_an_instance_that_is_not_there_is_said_to_be_unreachable() -> None:
    calls = HeliumMutations(_transport("http://127.0.0.1:1"), SystemClock())
    reply = await calls.milestone("m")
    assert reply.answer.outcome is RequestOutcome.UNREACHABLE
    await calls.close()


async def test_login_gives_a_token_that_is_good_and_never_shown(world: World) -> None:
    logins = HeliumLogin(world.calls)
    reply = await logins.log_in("ana@example.com", "demo")
    assert reply.token is not None
    assert reply.token not in repr(reply)
    assert (await world.calls.course_progress("course_789", reply.token)).data is not None
    refused = await logins.log_in("ana@example.com", "wrong")
    assert refused.token is None
    assert "password is wrong" in refused.answer.message
