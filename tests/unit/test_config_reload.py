"""A changed configuration is taken on while the daemon runs: all of it, or nothing."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
import structlog

from pointsman import replicas
from pointsman.config import Settings, load
from pointsman.config_reload import LOOK_EVERY, ConfigReload
from pointsman.domain.clock import micros
from pointsman.domain.errors import StoreUnavailable
from pointsman.store.document_records import Document, DocumentKey
from pointsman.telemetry import logs
from pointsman.telemetry.settings import LoggingSettings
from tests.support import file_changes
from tests.support.manual_clock import ManualClock
from tests.unit.test_config_changes import BASE


@pytest.fixture(autouse=True)
def logging_of_this_test_alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Loggers of modules must not keep what these tests configure for those that follow."""
    configure = structlog.configure

    def without_cache(**settings: Any) -> None:
        configure(**settings | {"cache_logger_on_first_use": False})

    monkeypatch.setattr(structlog, "configure", without_cache)
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield
    root.handlers[:] = before
    root.setLevel(level)
    structlog.reset_defaults()


T = TypeVar("T")


class Documents:
    """The documents of a store that may be away."""

    def __init__(self) -> None:
        self.away = False
        self._rows: dict[DocumentKey, Document] = {}

    async def document(self, key: DocumentKey) -> Document | None:
        if self.away:
            raise StoreUnavailable("away")
        return self._rows.get(key)

    async def change_document(
        self, key: DocumentKey, decide: Callable[[Document | None], tuple[Document | None, T]]
    ) -> T:
        document, result = decide(await self.document(key))
        assert document is not None
        self._rows[key] = document
        return result


class Replica:
    """One that is reloaded, and what it was told."""

    def __init__(self, path: Path, store: Documents, clock: ManualClock, name: str = "a") -> None:
        self.taken: list[Settings] = []
        self.told: list[tuple[str, float, bool]] = []
        self.clock = clock
        self.reload = ConfigReload(
            path, load(path), store, clock, self._take, lambda *of: self.told.append(of), name
        )

    async def _take(self, settings: Settings) -> None:
        self.taken.append(settings)

    async def look(self, times: int = 1) -> None:
        for _ in range(times):
            await self.reload.look()
            self.clock.advance(LOOK_EVERY)


@pytest.fixture(autouse=True)
def _the_log_ends_with_the_test() -> Iterator[None]:
    """What it is written to is closed then."""
    root = logging.getLogger()
    before = root.handlers[:]
    yield
    root.handlers[:] = before


@pytest.fixture
async def replica(tmp_path: Path) -> Replica:
    path = file_changes.turn_data_link(tmp_path, BASE)
    replica = Replica(path, Documents(), ManualClock())
    await replica.reload.open(b"secret")
    await replica.look(3)
    return replica


def changed(before: str, after: str) -> str:
    assert BASE.count(before) == 1
    return BASE.replace(before, after)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


HALF = changed("share = 0.8", "share = 0.5")
BAD = changed("share = 0.8", "share = 5")


@pytest.mark.parametrize(
    "put", [file_changes.turn_data_link, file_changes.in_place, file_changes.rename_over]
)
async def test_a_changed_file_is_taken_on_within_5_seconds_however_it_was_replaced(
    tmp_path: Path, put: Callable[[Path, str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure(LoggingSettings())
    path = put(tmp_path, BASE)
    replica = Replica(path, Documents(), ManualClock())
    await replica.reload.open(b"secret")
    await replica.look(3)
    assert replica.taken == []
    put(tmp_path, HALF)

    await replica.look(4)

    (settings,) = replica.taken
    assert settings.platform.limits.share == 0.5
    (line,) = lines(capsys)
    assert (line["event"], line["changed"]) == (
        "configuration reloaded",
        ["platform.limits.share"],
    )
    assert replica.told[-1][0] == line["configuration"] != replica.told[0][0]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (BAD, "platform.limits.share"),
        (changed("[learners.tokens]\n", "[learners.tokens]\ninlin = 1\n"), "inlin"),
        ("[[rules", "is not TOML"),
        (changed("port = 8080", "port = 9080").replace("0.8", "0.5"), "http.port needs a restart"),
    ],
)
async def test_a_file_that_can_not_be_taken_changes_nothing_and_says_why(
    replica: Replica, tmp_path: Path, text: str, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure(LoggingSettings())
    file_changes.turn_data_link(tmp_path, text)

    await replica.look(20)

    assert replica.taken == []
    (line,) = lines(capsys)  # once, however often it is tried
    assert line["level"] == "warning"
    assert reason in line["reason"]
    assert reason in replica.reload.problem
    assert replica.told[-1] == (*replica.told[0][:2], False)


async def test_the_file_of_before_is_no_change_and_ends_the_problem(
    replica: Replica, tmp_path: Path
) -> None:
    file_changes.turn_data_link(tmp_path, BAD)
    await replica.look(4)
    assert replica.reload.problem
    file_changes.turn_data_link(tmp_path, BASE)

    await replica.look(4)

    assert not replica.reload.problem
    assert replica.taken == []
    assert replica.told[-1] == replica.told[0]


async def test_a_file_that_is_named_and_comes_later_is_waited_for(
    replica: Replica, tmp_path: Path
) -> None:
    file_changes.turn_data_link(
        tmp_path, changed('api_key = "key"', f'api_key_file = "{tmp_path / "api-key"}"')
    )
    await replica.look(4)
    assert "api-key" in replica.reload.problem
    (tmp_path / "api-key").write_text("the-key")

    await replica.look(6)

    assert not replica.reload.problem
    assert len(replica.taken) == 1


async def test_half_a_file_is_never_taken(replica: Replica, tmp_path: Path) -> None:
    """Cut at a line it may mean something: other rules than are being written."""
    path = tmp_path / "secret"
    path.unlink()
    for lines_written in range(len(BASE.splitlines()) - 3, len(BASE.splitlines())):
        path.write_text("\n".join(BASE.splitlines()[:lines_written]))
        await replica.look()
    path.write_text(HALF)

    await replica.look(4)

    assert [settings.platform.limits.share for settings in replica.taken] == [0.5]


async def test_half_a_file_is_not_taken_while_another_one_is_wrong(
    replica: Replica, tmp_path: Path
) -> None:
    """Then the file is tried again and again, and may be written at that moment."""
    file_changes.turn_data_link(tmp_path, BAD)
    await replica.look(4)
    assert replica.reload.problem
    path = tmp_path / "secret"
    path.unlink()
    half = HALF.partition("[[rules]]")[0]
    for number in range(10):
        path.write_text(half + "# and more" * (number % 2))
        await replica.look()
    path.write_text(HALF)

    await replica.look(4)

    assert [len(settings.rules) for settings in replica.taken] == [1]


async def test_a_file_that_is_gone_changes_nothing(replica: Replica, tmp_path: Path) -> None:
    (tmp_path / "secret").unlink()

    await replica.look(4)

    assert "there is no such file" in replica.reload.problem
    assert replica.taken == []


@pytest.mark.parametrize("is_there_from_the_start", [True, False])
async def test_a_pipe_in_its_place_is_never_waited_for(
    tmp_path: Path, is_there_from_the_start: bool
) -> None:
    """A shell's <(…), or a file that was replaced by one: nobody writes to it again."""
    path = file_changes.turn_data_link(tmp_path, BASE)
    replica = Replica(path, Documents(), ManualClock())
    await replica.reload.open(b"secret")
    if not is_there_from_the_start:
        await replica.look(3)
    path.unlink()
    os.mkfifo(path)

    await replica.look(8)
    assert not replica.reload.problem
    replica.reload.want()
    await replica.look()

    assert f"{path} is a pipe" in replica.reload.problem
    assert replica.taken == []


async def test_a_signal_has_the_file_read_at_once(
    replica: Replica, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure(LoggingSettings())
    replica.reload.want()
    await replica.look()
    assert [line["event"] for line in lines(capsys)] == [
        "configuration read again; nothing differs"
    ]
    file_changes.turn_data_link(tmp_path, HALF)
    replica.reload.want()

    await replica.look()

    assert len(replica.taken) == 1


async def test_a_request_in_the_store_reaches_every_replica_and_each_says_what_it_runs(
    tmp_path: Path,
) -> None:
    store, clock = Documents(), ManualClock()
    path = file_changes.in_place(tmp_path, BASE)
    both = [Replica(path, store, clock, name) for name in ("a", "b")]
    for replica in both:
        await replica.reload.open(b"secret")
        await replica.look(3)
    now = micros(clock.now())
    first = (await replicas.read(store)).alive(now)
    assert [row.name for row in first] == ["a", "b"]
    assert len({row.hash for row in first}) == 1
    path.write_text(HALF)
    await replicas.change(store, now, lambda all_: replicas.Replicas("asked", all_.of))

    await both[0].look()

    a, b = (await replicas.read(store)).alive(micros(clock.now()))
    assert (a.answered, b.answered) == ("asked", "")
    assert a.hash != b.hash == first[0].hash
    await both[1].look()
    a, b = (await replicas.read(store)).alive(micros(clock.now()))
    assert (a.hash, b.answered) == (b.hash, "asked")
    path.write_text(BAD)
    await both[1].look(4)
    a, b = (await replicas.read(store)).alive(micros(clock.now()))
    assert not a.problem
    assert "platform.limits.share" in b.problem
    await both[0].reload.close()
    assert [row.name for row in (await replicas.read(store)).alive(micros(clock.now()))] == ["b"]
    clock.advance(60)
    assert (await replicas.read(store)).alive(micros(clock.now())) == []


async def test_without_the_store_a_file_is_taken_on_all_the_same(tmp_path: Path) -> None:
    store = Documents()
    path = file_changes.in_place(tmp_path, BASE)
    replica = Replica(path, store, ManualClock())
    store.away = True
    await replica.reload.open(b"secret")
    await replica.look(3)
    path.write_text(HALF)

    await replica.look(4)

    assert len(replica.taken) == 1
