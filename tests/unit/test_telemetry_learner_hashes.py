"""The log names no person: neither in keys of their own nor in anybody's words."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from pointsman.delivery.delivery_record import DeliveryRecord
from pointsman.delivery.turn_outcome import DeliveryOutcome
from pointsman.domain.park_codes import ParkCode
from pointsman.domain.pseudonyms import UNKEYED, Pseudonyms
from pointsman.domain.records import DeadLetter, InputOutcome, Receipt, Submission
from pointsman.domain.targets import Target, TargetKind
from pointsman.fault_log import FaultLog
from pointsman.platforms.base import RequestOutcome
from pointsman.store.records import Settlement
from pointsman.telemetry import learner_hashes, logs
from pointsman.telemetry.learner_hashes import LearnerHashes
from pointsman.telemetry.operator_log import OperatorLog
from pointsman.telemetry.settings import LoggingSettings
from tests.support.manual_clock import ManualClock

KEY = b"of this installation, 32 bytes.."
ANA = "ana.pop@example.com"
NAME = "Ana Popescu"
SHA1 = hashlib.sha1(b"mailto:ana.pop@example.com", usedforsecurity=False).hexdigest()
ACCOUNT = "https://hr.example.com|ana-4711"
OF = Pseudonyms(KEY).of


@pytest.fixture(params=["json", "console"])
def lines(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], str]]:
    """What was written, in either format."""
    with configured(monkeypatch, LoggingSettings(format=request.param, level="debug")) as output:
        logs.LEARNER_HASHES.use(KEY)
        monkeypatch.setattr(logs.LEARNER_HASHES, "_names", {})
        monkeypatch.setattr(logs.LEARNER_HASHES, "_of_word", defaultdict(set))
        logs.LEARNER_HASHES.know(NAME)
        yield output.getvalue
        logs.LEARNER_HASHES.use(b"")


@contextmanager
def configured(monkeypatch: pytest.MonkeyPatch, settings: LoggingSettings) -> Iterator[io.StringIO]:
    """The daemon's own logging, and what it writes."""
    output = io.StringIO()
    monkeypatch.setattr("sys.stdout", output)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    logs.configure(settings, ManualClock())
    # loggers of modules must not keep it for the tests that follow
    structlog.configure(**structlog.get_config() | {"cache_logger_on_first_use": False})
    yield output
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


#: words in which a person may be named, and what stands there instead
WORDS = {
    "mailbox": (f"user {ANA} is not a STUDENT", f"user {OF(ANA)} is not a STUDENT"),
    "case": ("user ANA.Pop@Example.com is gone", f"user {OF(ANA)} is gone"),
    "mailto": (f"actor mailto:{ANA}.", f"actor {OF(ANA)}."),
    "address on the web": (
        "GET /agents?agent=mailto%3Aana.pop%40example.com&x=1",
        f"GET /agents?agent={OF(ANA)}&x=1",
    ),
    "JSON": (f'{{"mbox": "mailto:{ANA}"}}', f'{{"mbox": "{OF(ANA)}"}}'),
    "SHA-1": (f"mbox_sha1sum {SHA1} is unknown", f"mbox_sha1sum {OF(SHA1)} is unknown"),
    "account": (f"no token for '{ACCOUNT}'", f"no token for '{OF(ACCOUNT)}'"),
    "name of the platform's": (
        "the table has none for 'apop'",
        f"the table has none for '{OF('apop')}'",
    ),
    "what they are called": (f"{NAME} is no student", "… is no student"),
    "somebody's name, quoted": ("ValueError: 'Björk Ek'", "ValueError: '…'"),
}


def test_a_name_that_comes_again_and_again_takes_no_place_of_others() -> None:
    hashes = LearnerHashes()
    hashes.know("Björk Ek")
    for _ in range(20_000):
        hashes.know(NAME)
    assert hashes.text(f"Björk Ek or {NAME}", []) == "… or …"
    for number in range(5_000):
        hashes.know(f"Somebody {number:04}")
    assert hashes.text(f"Björk Ek or {NAME}", []) == f"Björk Ek or {NAME}"


def test_names_may_come_while_a_line_is_written() -> None:
    hashes = LearnerHashes()
    done = Event()

    def tell() -> None:
        number = 0
        while not done.is_set():
            hashes.know(f"Somebody {number}")
            number += 1

    teller = Thread(target=tell)
    teller.start()
    try:
        for _ in range(300):
            hashes.text("nobody is named here", [])
    finally:
        done.set()
        teller.join()


@pytest.mark.parametrize(("words", "shown"), WORDS.values(), ids=WORDS)
def test_words_name_nobody(words: str, shown: str) -> None:
    hashes = LearnerHashes()
    hashes.use(KEY)
    hashes.know(NAME)
    assert hashes.text(words, []) == shown
    assert hashes.text(shown, []) == shown


@pytest.mark.parametrize(
    "words",
    [
        "KeyError: 'topic_id'",
        "refused: NOT_FOUND: no topic topic_demo_1",
        "statement 27a26d2e-d6b5-4299-abf8-0a00be502362 is already stored",
        "https://content.example.com/topic?x=1 gives HTTP 503; see learners.tokens.file",
        "postgresql://pointsman@db.example.com/pointsman is away",
        "line 3, column 7: 12 of 40 points are left, 2026-11-29T08:00:00Z",
    ],
)
def test_words_that_name_nobody_stay_as_they_are(words: str) -> None:
    hashes = LearnerHashes()
    hashes.use(KEY)
    assert hashes.text(words, []) == words


def say(event: str, **keys: object) -> None:
    structlog.get_logger("pointsman.test").warning(event, **keys)


def _delivery() -> None:
    settlements = [
        Settlement(
            Target(TargetKind.TOPIC_PROGRESS, "t"),
            1,
            "parked",
            f"refused by the platform: {ANA} ({NAME}) is not a STUDENT",
            ParkCode.REFUSED_BY_PLATFORM,
        ),
        Settlement(
            Target(TargetKind.MEETING_ATTENDANCE, f"c {ANA}"), 1, "parked", "x", ParkCode.DRIFT
        ),
    ]
    outcome = DeliveryOutcome(
        learner=ANA,
        answer=RequestOutcome.ANSWERED,
        settlements=settlements,
        message=f"FORBIDDEN: {ANA.upper()} may not",
    )
    OperatorLog(ManualClock()).delivery(DeliveryRecord(outcome, ()))


def _dead_letter() -> None:
    letter = DeadLetter(f"its rule failed: ValueError: '{NAME}'", f"from {ANA}", b"")
    submission = Submission("http", b"", 0, (), (letter,))
    OperatorLog(ManualClock()).received([submission], [Receipt({InputOutcome.DEAD: 1})])


def _fails(learner: str) -> None:
    raise ValueError(f"{learner} and {NAME} and {SHA1}")


def _fault() -> None:
    try:
        _fails(ANA)
    except ValueError as error:
        FaultLog().tell("a task failed", error, learner=ANA)


def _of_a_library() -> None:
    try:
        _fails(ANA)
    except ValueError:
        logging.getLogger("aiohttp.server").exception("Error handling request of %s", ANA)


FAULTS: dict[str, Callable[[], Any]] = {
    "a delivery that is refused": _delivery,
    "a dead letter": _dead_letter,
    "a fault of ours, with its traceback": _fault,
    "a line of a library": _of_a_library,
    "a request that is refused": lambda: OperatorLog(ManualClock()).refused(
        "players", "GET", "/xapi/statements", 400, f"agent: mailto:{ANA} or {SHA1}"
    ),
    "a line of the token source": lambda: say("no token", reason=f"none for '{ACCOUNT}'"),
    "a learner in a list": lambda: say("some", learners=[ANA, ACCOUNT], more={ANA: [NAME]}),
    "a line that a learner is part of": lambda: say("x", learner="apop", url="/of/apop/now"),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_line_names_nobody(lines: Callable[[], str], fault: Callable[[], None]) -> None:
    fault()
    written = lines()
    assert written.strip()
    for trace in (ANA, ANA.upper(), NAME, SHA1, "ana-4711", "apop"):
        assert trace.lower() not in written.lower(), trace
    assert "learner:" in written or "…" in written


def test_a_hash_is_of_this_installation_and_the_same_for_a_learner() -> None:
    assert OF(ANA) == OF(ANA) != OF("ben@example.com")
    assert Pseudonyms(b"another").of(ANA) != OF(ANA)
    assert Pseudonyms().of(ANA) == UNKEYED


def test_a_meeting_is_no_person(lines: Callable[[], str]) -> None:
    say("delivery", learner="meeting:m1")
    assert "meeting:m1" in lines()


def test_who_wants_names_has_them(monkeypatch: pytest.MonkeyPatch) -> None:
    with configured(monkeypatch, LoggingSettings(learners="plain")) as output:
        structlog.get_logger("pointsman.test").warning("delivery", learner=ANA, words=NAME)
        line = json.loads(output.getvalue())
    assert (line["learner"], line["words"]) == (ANA, NAME)


_SOME_TEXT = st.text(alphabet="ab é-.'✓ ", max_size=12)


@given(names=st.lists(_SOME_TEXT, max_size=6), text=_SOME_TEXT)
def test_a_name_is_found_by_its_first_word_wherever_it_stands_as_words(
    names: list[str], text: str
) -> None:
    hashes = LearnerHashes()
    for name in names:
        hashes.know(name)
    known = [name for name in dict.fromkeys(reversed(names)) if len(name) >= 3]
    stands = [name for name in known if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text)]
    assert set(stands) <= set(hashes._names_in(text)) <= {name for name in known if name in text}


def test_names_that_are_forgotten_leave_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learner_hashes, "_MOST_NAMES", 2)
    hashes = LearnerHashes()
    for name in ("Ana Popescu", "Ana Ionescu", "Ana Popescu", "Bea Marin", "***"):
        hashes.know(name)
    assert hashes.text("Ana Popescu, Ana Ionescu, Bea Marin, ***", []) == (
        "Ana Popescu, Ana Ionescu, …, …"
    )
    assert (list(hashes._names), set(hashes._of_word)) == (["Bea Marin", "***"], {"Bea", ""})
