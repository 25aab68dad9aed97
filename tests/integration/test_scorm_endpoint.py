"""SCORM commits over HTTP: who may send them, what is answered, kept and resumed."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NoReturn

import jwt
import pytest

from pointsman.cli.operator_identity import begun
from pointsman.commands import replay_letters, revoke_launch
from pointsman.domain.errors import StoreUnavailable
from pointsman.domain.operator_actions import ActionKind
from pointsman.store.base import Store, StoredDeadLetter
from pointsman.store.sqlite import SqliteStore
from tests.support.http_endpoint import PLAYER
from tests.support.launch_client import ANA, BEN, SIGNING_KEY, Launching, launching
from tests.support.scorm_sessions import TAKEN, commit, data, launched, statements, take, token
from tests.support.store_queries import look, read_books

COMPLETED = {"cmi": {"core": {"lesson_status": "completed"}, "suspend_data": "page=9"}}
RULES = """
[[rules]]
activity = "https://content.example.com/{topic}"
topic_id = "{topic}"
falls = "always"
"""
TOPIC = "https://content.example.com/topic_demo_1"


def measured(measure: float, **more: Any) -> dict[str, Any]:
    """A commit of SCORM 2004 that is so far."""
    return {"cmi": {"progress_measure": str(measure), "suspend_data": str(measure)}, **more}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Launching]:
    async with launching(tmp_path, RULES, cors_origins=(PLAYER,)) as running:
        yield running


async def told(world: Launching) -> Any:
    """The last percentage that the platform was told, when all is told."""
    await world.run.until(lambda: read_books(world.run.database).dirty == 0)
    return [one["progress"] for _, one in world.run.ran if "progress" in one][-1]


def letters(world: Launching) -> list[StoredDeadLetter]:
    async def read(store: Store) -> list[StoredDeadLetter]:
        found = await store.dead_letters(limit=100)
        whole = [await store.dead_letter(one.id) for one in found]
        return [one for one in whole if one is not None]

    return look(world.run.database, read)


@pytest.mark.parametrize("slash", ["", "/"])
async def test_a_commit_is_answered_as_the_client_needs_it_when_it_is_stored(
    world: Launching, slash: str
) -> None:
    launch = await launched(world, activity=TOPIC)
    answer = await commit(world, launch, COMPLETED, f"{slash}?reg=r-1&final=true")
    assert (answer.status, await answer.json()) == (200, TAKEN)
    assert answer.headers["Cache-Control"] == "no-store"
    (kept,) = await statements(world, launch)
    assert kept["result"] == {"completion": True}
    assert kept["actor"]["mbox"] == f"mailto:{ANA}"
    assert await told(world) == 100


async def test_a_commit_that_comes_again_is_stored_once(world: Launching) -> None:
    launch = await launched(world)
    for body in (COMPLETED, COMPLETED, {**COMPLETED, "commitSequence": 4}):
        await take(world, launch, body)
        await take(world, launch, body)
    assert len(await statements(world, launch)) == 2


async def test_a_late_commit_does_not_win_even_where_progress_may_fall(world: Launching) -> None:
    launch = await launched(world, activity=TOPIC)
    await take(world, launch, measured(0.6, commitSequence=2))
    assert await told(world) == 60
    await take(world, launch, measured(0.2, commitSequence=1))
    assert await told(world) == 60
    await take(world, launch, measured(0.4, commitSequence=3))
    assert await told(world) == 40
    await take(world, launch, measured(0.2, commitSequence=1))  # the queue does not give up
    assert (await data(world, launch))["cmi"]["progress_measure"] == "0.4"
    assert await told(world) == 40


async def test_a_page_that_was_loaded_again_goes_on_although_it_counts_from_one(
    world: Launching,
) -> None:
    launch = await launched(world, activity=TOPIC)
    await take(world, launch, measured(0.2, commitSequence=1), "?session=a")
    await take(world, launch, measured(0.6, commitSequence=2), "?session=a")
    await take(world, launch, measured(0.5, commitSequence=1), "?session=b")
    assert await told(world) == 50
    await take(world, launch, measured(0.3, commitSequence=1), "?session=c")
    await take(world, launch, measured(0.9, commitSequence=0), "?session=c")  # late in its run
    assert await told(world) == 30
    await take(world, launch, measured(0.9, commitSequence=3), "?session=a")  # in another tab
    assert await told(world) == 90
    assert (await data(world, launch))["cmi"]["suspend_data"] == "0.9"


async def test_the_next_run_gets_what_the_last_one_left(world: Launching) -> None:
    launch = await launched(world, name="Ana", masteryScore=0.8)
    fresh = await data(world, launch)
    assert (fresh["cmi"], fresh["version"], fresh["entry"]) == (None, None, "ab-initio")
    assert fresh["learner"] == {"id": ANA, "name": "Ana"}
    assert (fresh["mode"], fresh["credit"], fresh["masteryScore"]) == ("normal", "credit", 0.8)
    await take(world, launch, b"cmi.suspend_data=a&b=1&cmi.core.lesson_status=incomplete")
    again = await data(world, launch)
    assert (again["version"], again["entry"]) == ("1.2", "resume")
    assert again["cmi"] == {"suspend_data": "a&b=1", "core": {"lesson_status": "incomplete"}}
    head = await world.run.session.head(launch["dataUrl"] + "/")
    assert head.status == 200


async def test_what_is_only_browsed_writes_no_progress_and_is_resumed(world: Launching) -> None:
    for mode in ("Browse", "Review"):
        launch = await launched(world, activity=TOPIC, mode=mode)
        await take(world, launch, COMPLETED)
        found = await data(world, launch)
        assert (found["mode"], found["credit"]) == (mode.lower(), "no-credit")
        assert found["cmi"]["suspend_data"] == "page=9"
    assert read_books(world.run.database).desired == 0


async def test_what_is_not_understood_is_refused_and_kept_whole(world: Launching) -> None:
    launch = await launched(world)
    body = b'{"cmi": "core"}'
    answer = await commit(world, launch, body, "?final=true")
    said = await answer.json()
    assert (answer.status, said["result"], said["errorCode"]) == (400, False, 101)
    assert said["errorMessage"] == said["error"]["reason"]
    assert "cmi must be an object" in said["errorMessage"]
    (letter,) = letters(world)
    assert (letter.body, letter.source, letter.reason) == (body, "launch", said["errorMessage"])
    assert letter.origin == f"SCORM commit of registration {launch['registration']}, the last"
    assert read_books(world.run.database).balanced
    page, _ = await world.run.daemon.parts.metrics_page()
    assert b'pointsman_inputs_total{result="refused",source="launch"} 1.0' in page


async def test_a_word_that_scorm_has_not_is_left_out_and_counted_and_the_rest_is_taken(
    world: Launching,
) -> None:
    launch = await launched(world)
    cmi = {"completion_status": "completed", "progress_measure": "1.000349"}
    answer = await commit(world, launch, json.dumps({"cmi": cmi}).encode())
    assert answer.status == 200
    page, _ = await world.run.daemon.parts.metrics_page()
    assert b'pointsman_readings_left_out_total{reading="progress",source="launch"} 1.0' in page
    assert b'pointsman_inputs_total{result="applied",source="launch"} 1.0' in page


async def test_one_launch_can_not_fill_the_store_with_what_nobody_understands(
    world: Launching,
) -> None:
    launch = await launched(world)
    for number in range(25):
        assert (await commit(world, launch, f"nonsense {number}".encode())).status == 400
    assert (await commit(world, launch, b"")).status == 400
    assert len(letters(world)) == 20
    assert read_books(world.run.database).balanced


async def test_a_last_commit_that_comes_after_its_launch_expired_is_kept_and_can_be_read_again(
    world: Launching,
) -> None:
    launch = await launched(world, activity=TOPIC)
    claims = jwt.decode(token(launch), SIGNING_KEY, algorithms=["HS256"], audience="scorm")
    late = {**launch, "commitUrl": _with(world, {**claims, "exp": claims["iat"]})}
    body = json.dumps(COMPLETED).encode()
    answer = await commit(world, late, body)
    assert answer.status == 401
    assert "expired" in (await answer.json())["errorMessage"]
    (letter,) = letters(world)
    assert (letter.body, letter.source) == (body, "launch")

    words: list[str] = []

    async def choose(_store: Store) -> list[int]:
        return [letter.id]

    action = begun(ActionKind.DEAD_LETTERS_REPLAY, {})
    await replay_letters(world.run.settings, action, choose, lambda _, said: words.append(said))
    assert words == ["applied"]
    (kept,) = await statements(world, launch)
    assert kept["result"] == {"completion": True}
    assert await told(world) == 100
    books = read_books(world.run.database)
    assert (books.balanced, letters(world)) == (True, [])


async def test_a_launch_that_was_revoked_leaves_nothing_to_read_again_when_it_has_expired_too(
    world: Launching,
) -> None:
    launch = await launched(world, activity=TOPIC)
    claims = jwt.decode(token(launch), SIGNING_KEY, algorithms=["HS256"], audience="scorm")
    late = {**launch, "commitUrl": _with(world, {**claims, "exp": claims["iat"]})}
    action = begun(ActionKind.LAUNCHES_REVOKE, {})
    await revoke_launch(world.run.settings, action, launch["registration"])
    answer = await commit(world, late, json.dumps(COMPLETED).encode())
    assert answer.status == 401
    assert "revoked" in (await answer.json())["errorMessage"]
    assert letters(world) == []


async def test_an_expired_launch_asks_no_faster_than_another(world: Launching) -> None:
    launch = await launched(world, activity=TOPIC)
    claims = jwt.decode(token(launch), SIGNING_KEY, algorithms=["HS256"], audience="scorm")
    late = {**launch, "commitUrl": _with(world, {**claims, "exp": claims["iat"]})}
    statuses = {(await commit(world, late, b"")).status for _ in range(230)}
    assert statuses == {401, 429}


def _with(world: Launching, claims: dict[str, Any], key: str = SIGNING_KEY) -> str:
    return f"{world.url}/scorm/{jwt.encode(claims, key, algorithm='HS256')}/commit"


async def test_a_pass_that_is_not_good_opens_nothing_and_leaves_nothing(world: Launching) -> None:
    launch = await launched(world)
    player = await world.launch()
    claims = jwt.decode(token(launch), SIGNING_KEY, algorithms=["HS256"], audience="scorm")
    for url, words in (
        (_with(world, claims, "another-key-that-is-long-enough-too"), "no launch credential"),
        (_with(world, {**claims, "reg": str(uuid.uuid4())}), "not known any longer"),
        (_with(world, {**claims, "sub": BEN}), "not known any longer"),
        (f"{world.url}/scorm/{player['credential']}/commit", "another purpose"),
        (f"{world.url}/scorm/x/commit", "no launch credential"),
    ):
        forged = {**launch, "commitUrl": url}
        of_data = {"commitUrl": url.removesuffix("commit") + "data"}
        for answer in (
            await commit(world, forged, COMPLETED),
            await commit(world, of_data, b"", method="GET"),
        ):
            assert answer.status == 401
            said = await answer.json()
            assert words in said["errorMessage"]
            assert (said["result"], said["errorCode"]) == (False, 101)
    assert letters(world) == []
    assert await statements(world, launch) == []


async def test_a_stolen_commit_address_is_good_for_its_own_registration_alone(
    world: Launching,
) -> None:
    mine, other = await launched(world, activity=TOPIC), await launched(world, learner=BEN)
    body = {
        **COMPLETED,
        "registration": other["registration"],
        "learnerId": BEN,
        "courseId": "https://content.example.com/other",
    }
    await take(world, mine, body, f"?registration={other['registration']}&learner={BEN}")
    assert await statements(world, other) == []
    assert (await data(world, other))["cmi"] is None
    (own,) = await statements(world, mine)
    assert own["actor"]["mbox"] == f"mailto:{ANA}"
    assert own["object"]["id"] == TOPIC
    # and nothing else opens with it
    for path in ("/xapi/statements", "/launches", f"/cmi5/fetch/{token(mine)}"):
        for scheme in ("Bearer ", ""):
            answer = await world.run.session.get(
                f"{world.url}{path}", headers={"Authorization": scheme + token(mine)}
            )
            assert answer.status in {401, 404, 405}


async def test_a_store_that_is_away_is_said_so_in_words_of_both(
    world: Launching, monkeypatch: pytest.MonkeyPatch
) -> None:
    launch = await launched(world)

    async def away(*_: object) -> NoReturn:
        raise StoreUnavailable

    with monkeypatch.context() as patch:
        patch.setattr(SqliteStore, "ingest", away)
        answer = await commit(world, launch, COMPLETED, headers={"Origin": PLAYER})
    said = await answer.json()
    assert (answer.status, said["result"], said["errorCode"]) == (503, False, 101)
    assert answer.headers["Retry-After"]
    assert answer.headers["Access-Control-Allow-Origin"] == PLAYER
    await take(world, launch, COMPLETED)
    assert len(await statements(world, launch)) == 1


async def test_a_body_that_is_too_large_is_refused_with_the_setting_in_mind(
    world: Launching,
) -> None:
    launch = await launched(world)
    most = 1_048_576
    answer = await commit(world, launch, b'{"cmi": {"suspend_data": "' + b"x" * most)
    assert answer.status == 413
    assert str(most) in (await answer.json())["errorMessage"]


async def test_the_pass_is_in_no_log_and_no_metric(
    world: Launching, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    launch = await launched(world)
    await take(world, launch, COMPLETED)
    await commit(world, launch, b"nonsense")

    async def broken(*_: object) -> NoReturn:
        raise RuntimeError("a fault of ours")

    with monkeypatch.context() as patch:
        patch.setattr(SqliteStore, "change_document", broken)
        answer = await commit(world, launch, measured(0.5))
    assert (answer.status, (await answer.json())["result"]) == (500, False)
    page, _ = await world.run.daemon.parts.metrics_page()
    assert b'route="/scorm/{token}/commit"' in page
    shown = "".join(capfd.readouterr()) + page.decode()
    assert "a fault of ours" in shown
    assert "/scorm/{token}/commit" in shown
    assert token(launch) not in shown
    assert token(launch).split(".")[2] not in shown


async def test_other_methods_are_told_what_is_possible(world: Launching) -> None:
    launch = await launched(world)
    for method in ("GET", "PUT", "DELETE"):
        answer = await commit(world, launch, b"", method=method)
        assert (answer.status, answer.headers["Allow"]) == (405, "POST")
