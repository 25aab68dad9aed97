"""What the emulator keeps in its file: across a kill, another catalogue, and a full disk."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from http.client import HTTPException
from pathlib import Path
from typing import Any

import pytest

from pointsman.domain.errors import ConfigError
from pointsman.emulator import Emulator, builtin_catalogue
from pointsman.emulator.catalogue import Catalogue, Course
from pointsman.emulator.events import EndpointOptions
from pointsman.emulator.persistence import NotSavedError, StatePersistence
from tests.support.emulator_process import PROGRESS, Process
from tests.support.manual_clock import ManualClock
from tests.unit.emulator_harness import KEY, Answered, answered

ANA = "ana@example.com"
MEETING = (
    'mutation { UpdateUserCourseMeetingAttendance(userId: "usr_def456", courseId: "crs_789xyz",'
    ' meetingId: "mtg_111aaa", attended: true) { id } }'
)
CREATE = (
    'mutation { CreateLearningPath(name: "Mine", milestones: [{name: "M", courseIds: ["%s"]}])'
    " { slug } }"
)
MINE = '{ LearningPathBySlug(slug: "mine") { name } }'


class Kept:
    """An emulator of the file in a folder, in this process; closed and made again at will."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = ManualClock()
        self.begin()

    def begin(self, catalogue: Catalogue | None = None) -> None:
        self.keeper = StatePersistence(self.folder)
        goods = catalogue or builtin_catalogue()
        self.emulator = Emulator(goods, api_key=KEY, clock=self.clock, persistence=self.keeper)

    def restart(self, catalogue: Catalogue | None = None) -> None:
        self.keeper.close()
        self.begin(catalogue)

    async def ask(self, query: str, token: str = "") -> Answered:
        reply = await self.emulator.handle(
            query={"apiKey": KEY},
            headers={"authToken": token} if token else {},
            body=json.dumps({"query": query}).encode(),
        )
        return answered(reply)

    def learner(self, email: str = ANA) -> dict[str, Any]:
        shown: dict[str, Any] = self.emulator.state()["learners"][email]
        return shown


def everything(folder: Path) -> bytes:
    """The database, its log and whatever stands beside them."""
    return b"".join(file.read_bytes() for file in folder.iterdir())


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    kept = Kept(tmp_path)
    yield kept
    kept.keeper.close()


def test_what_was_answered_survives_a_kill(tmp_path: Path) -> None:
    emulator = Process(tmp_path, "--data", str(tmp_path / "platform.db"))
    try:
        token = emulator.log_in()
        assert emulator.ask(PROGRESS, token)[1] == {"data": {"UpdateTopicAndCourseProgress": True}}
        assert "errors" not in emulator.ask(CREATE % "course_456")[1]
        before = emulator.http("GET", "/emulator/state")[1]

        emulator.kill_and_restart()

        after = emulator.http("GET", "/emulator/state")[1]
        assert after["learners"] == before["learners"]
        assert after["learners"][ANA]["topics"] == {"topic_demo_1": 62}
        assert after["totals"] == before["totals"]
        assert emulator.ask(PROGRESS, token)[1] == {"data": {"UpdateTopicAndCourseProgress": True}}
        assert emulator.ask(MINE)[1] == {"data": {"LearningPathBySlug": {"name": "Mine"}}}
    finally:
        emulator.end()


def test_a_kill_between_many_requests_loses_none_that_was_answered(tmp_path: Path) -> None:
    emulator = Process(tmp_path, "--data", str(tmp_path))
    try:
        token = emulator.log_in()
        answered_ones: list[int] = []
        enough = threading.Event()

        def send() -> None:
            with suppress(OSError, HTTPException):
                for progress in range(1, 101):
                    emulator.ask(PROGRESS.replace("62", str(progress)), token)
                    answered_ones.append(progress)
                    if progress == 20:
                        enough.set()

        sender = threading.Thread(target=send)
        sender.start()
        assert enough.wait(10)
        emulator.end()
        sender.join()
        emulator.begin()
        topics = emulator.http("GET", "/emulator/state")[1]["learners"][ANA]["topics"]
        # the last one may have run without its answer getting through
        assert topics["topic_demo_1"] - answered_ones[-1] in {0, 1}
    finally:
        emulator.end()


async def test_everything_of_a_learner_is_kept(kept: Kept) -> None:
    catalogue = kept.emulator.catalogue
    attendee = next(one for one in catalogue.learners if one.id == "usr_def456")
    token = kept.emulator.issue_token(attendee.email)
    course = catalogue.courses[0]
    path = next(one for one in catalogue.learning_paths if one.status == "published")
    for mutation in (
        MEETING,
        f'mutation {{ UpdateCourseStatus(id: "{course.id}", status: "completed") }}',
        f'mutation {{ UpdateLearningPathAccess(slug: "{path.slug}", status: "started") }}',
        f'mutation {{ ArchiveUserCourse(id: "{course.id}") }}',
        f'mutation {{ ArchiveUserLearningPath(id: "{path.id}") }}',
    ):
        answer = await kept.ask(mutation, token)
        assert answer.codes == [], answer.messages
    before = kept.learner(attendee.email)
    assert before.keys() >= {
        "attendedMeetings",
        "courses",
        "learningPaths",
        "archivedCourses",
        "archivedLearningPaths",
    }
    kept.restart()
    assert kept.learner(attendee.email) == before


async def test_a_kept_token_is_good_until_its_time_and_the_file_holds_only_its_hash(
    kept: Kept,
) -> None:
    token = kept.emulator.issue_token(ANA)
    assert token.encode() not in everything(kept.folder)
    kept.clock.seconds += 3_599
    kept.restart()
    assert (await kept.ask(PROGRESS, token)).codes == []
    kept.clock.seconds += 1
    kept.restart()
    assert (await kept.ask(PROGRESS, token)).codes == ["UNAUTHENTICATED"]


@pytest.mark.parametrize("email", [None, ANA])
async def test_a_token_that_was_expired_stays_so(kept: Kept, email: str | None) -> None:
    token = kept.emulator.issue_token(ANA)
    assert kept.emulator.expire_tokens(email) == 1
    kept.restart()
    assert (await kept.ask(PROGRESS, token)).codes == ["UNAUTHENTICATED"]


async def test_a_reset_empties_the_file(kept: Kept) -> None:
    token = kept.emulator.issue_token(ANA)
    await kept.ask(PROGRESS, token)
    await kept.ask(CREATE % "course_456")
    kept.emulator.reset()
    kept.restart()
    assert kept.learner() == {"topics": {}, "courses": {}}
    assert kept.emulator.state()["totals"]["requests"] == 0
    assert (await kept.ask(PROGRESS, token)).codes == ["UNAUTHENTICATED"]
    assert (await kept.ask(MINE)).data == {"LearningPathBySlug": None}


async def test_what_has_left_the_catalogue_is_passed_over(kept: Kept) -> None:
    token = kept.emulator.issue_token(ANA)
    await kept.ask(PROGRESS, token)
    await kept.ask(CREATE % "course_456")
    learner = kept.emulator.catalogue.learner_by_email
    ana, ben = learner[ANA], learner["ben@example.com"]
    other = Course(id="other", slug="other", title="Another course")

    kept.restart(Catalogue(learners=(ana,), courses=(other,)))
    assert kept.learner() == {"topics": {}, "courses": {}}
    assert (await kept.ask(MINE)).data == {"LearningPathBySlug": None}

    kept.restart(Catalogue(learners=(ben,), courses=(other,)))
    assert ANA not in kept.emulator.state()["learners"]
    assert (await kept.ask("{ __typename }", token)).status == 200


async def test_what_could_not_be_written_is_not_answered_and_written_the_next_time(
    kept: Kept,
) -> None:
    token = kept.emulator.issue_token(ANA)
    database = kept.keeper._db
    (pages,) = database.execute("PRAGMA page_count").fetchone()
    database.execute(f"PRAGMA max_page_count = {pages}")
    batch = " ".join(
        f'm{n}: CreateLearningPath(name: "{"x" * 200}", milestones: []) {{ id }}' for n in range(50)
    )

    full = await kept.ask(f"mutation {{ {batch} }}", token)
    assert (full.status, full.codes) == (500, ["INTERNAL_SERVER_ERROR"])

    database.execute("PRAGMA max_page_count = 100000")
    assert (await kept.ask(PROGRESS, token)).codes == []
    kept.restart()
    assert kept.emulator.state()["totals"]["mutations"] == {
        "CreateLearningPath": 50,
        "UpdateTopicAndCourseProgress": 1,
    }
    assert (await kept.ask(PROGRESS, token)).codes == []


def test_a_second_emulator_may_not_use_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pointsman.emulator.persistence._LOCK_PATIENCE", 0.0)
    keeper = StatePersistence(tmp_path)
    with pytest.raises(ConfigError, match=r"emulator\.db: can't be used: database is locked"):
        StatePersistence(tmp_path)
    keeper.close()
    StatePersistence(tmp_path).close()


def write(path: Path, statement: str) -> None:
    """What somebody else does to the file."""
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute(statement)


def _no_database(path: Path) -> None:
    path.write_text("a letter to Ben " * 100)


def _of_the_future(path: Path) -> None:
    write(path, "PRAGMA user_version = 99")


def _no_json(path: Path) -> None:
    StatePersistence(path).close()
    write(path, "INSERT INTO learners VALUES ('ana@example.com', '{')")


def _no_record(path: Path) -> None:
    StatePersistence(path).close()
    write(path, """INSERT INTO learners VALUES ('ana@example.com', '{"topics": 5}')""")


def _nowhere(path: Path) -> None:
    path.mkdir()
    (path / "emulator.db").mkdir()


@pytest.mark.parametrize("spoil", [_no_database, _of_the_future, _no_json, _no_record, _nowhere])
def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, spoil: Any) -> None:
    path = tmp_path / "platform.db"
    spoil(path)
    with (
        pytest.raises(ConfigError, match=r"--data .*: can't be used: "),
        closing(StatePersistence(path)) as keeper,
    ):
        Emulator(builtin_catalogue(), api_key=KEY, clock=ManualClock(), persistence=keeper)


async def feed(kept: Kept) -> list[dict[str, Any]]:
    reply = await kept.emulator.rest.handle(
        "GET",
        "/incoming/v2/events/courseAction",
        query={},
        headers={"Authorization": f"Bearer {KEY}"},
    )
    events: list[dict[str, Any]] = json.loads(reply.body)["events"]
    return events


COMPLETED = 'mutation { UpdateCourseStatus(id: "course_456", status: "completed") }'


async def test_events_certificates_and_revoked_courses_are_kept(kept: Kept) -> None:
    token = kept.emulator.issue_token(ANA)
    await kept.ask(COMPLETED, token)
    kept.emulator.administer(lambda admin, now: admin.revoke(ANA, "demo-course", now=now))
    before = await feed(kept)
    kept.restart()
    assert await feed(kept) == before
    assert kept.learner()["revokedCourses"] == ["course_demo"]
    # due after the restart, and granted once
    kept.clock.advance(100)
    assert (await feed(kept))[0]["source"] == "certificate_granted"
    await kept.ask("{ __typename }")
    kept.restart()
    assert "course_456" in kept.learner()["certificates"]
    assert len(await feed(kept)) == len(before) + 1
    nothing = {**builtin_catalogue().model_dump(), "learning_paths": (), "courses": ()}
    kept.restart(Catalogue.model_validate(nothing))
    assert await feed(kept) == []
    kept.emulator.reset()
    kept.restart()
    assert await feed(kept) == []


async def test_a_file_of_the_version_before_is_taken_over(kept: Kept) -> None:
    token = kept.emulator.issue_token(ANA)
    await kept.ask(PROGRESS, token)
    kept.keeper.close()
    with closing(sqlite3.connect(kept.folder / "emulator.db", isolation_level=None)) as db:
        db.executescript("DROP TABLE events; PRAGMA user_version = 1;")
    kept.begin()
    assert kept.learner()["topics"] == {"topic_demo_1": 62}
    assert await feed(kept) == []


async def test_webhooks_are_sent_while_the_file_can_not_be_written(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = kept.emulator.issue_token(ANA)
    kept.emulator.webhooks.register(EndpointOptions(url="http://localhost/", secret="s"))
    posted: asyncio.Queue[bytes] = asyncio.Queue()

    async def post(url: str, headers: Mapping[str, str], body: bytes) -> int:
        assert url == "http://localhost/"
        assert headers["X-TI-Signature"]
        posted.put_nowait(body)
        return 200

    def full(*_: object) -> None:
        raise NotSavedError("the disk is full")

    monkeypatch.setattr(kept.keeper, "save", full)
    sending = asyncio.create_task(kept.emulator.run(post))
    assert (await kept.ask(COMPLETED, token)).status == 500
    for event in ("course.completed", "certificate.granted"):
        assert json.loads(await posted.get())["event"] == event
    assert not sending.done()
    sending.cancel()
    with suppress(asyncio.CancelledError):
        await sending
