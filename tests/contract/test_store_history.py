"""What every store must keep to explain a learner's state: moves, turns and readings."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pointsman.domain.park_codes import ParkCode
from pointsman.domain.records import DeadLetter, Falls, InputOutcome, Submission
from pointsman.domain.targets import ReadBackPlace, Recipient, Target, TargetKind, Value
from pointsman.store.base import AuditFinding, KnownDelivered, Settlement, Store
from pointsman.store.history_records import (
    HistoryMove,
    LearnerHistory,
    MoveResult,
    SentMutation,
    SentRequest,
)
from tests.support.change_factory import change, course, item, new_id, submission, topic, wants
from tests.support.store_steps import MINUTE, lease_one, settle, take

T = topic("t")
PLACE = ReadBackPlace.course("c")
SENT = SentRequest("r1", 7, 3, 0.25, "answered", "", (SentMutation(T, 40, "done"),))


async def history(store: Store, learner: str = "ana") -> LearnerHistory:
    return await store.learner_history(learner, limit=100)


async def moves(store: Store, learner: str = "ana") -> list[tuple[Value | None, ...]]:
    return [
        (move.wanted, move.before, move.after, move.result.value)
        for move in (await history(store, learner)).moves
    ]


async def test_each_move_is_kept_with_what_was_wanted_before_and_after(store: Store) -> None:
    first = change("ana", T, 40, at=5)
    await store.ingest([submission(item(first), at=6, source="players")])
    await take(store, wants(change("ana", T, 62)))
    kept = (await history(store)).moves
    assert [(move.before, move.after) for move in kept] == [(None, 40), (40, 62)]
    assert kept[0] == HistoryMove(
        statement_id=first.statement_id,
        source="players",
        occurred_at=5,
        received_at=6,
        at=kept[0].at,
        rule="a rule",
        recipient=Recipient.learner("ana"),
        target=T,
        wanted=40,
        before=None,
        after=40,
        result=MoveResult.MOVED,
    )


@pytest.mark.parametrize(
    ("falls", "first", "second", "result"),
    [
        (Falls.NEVER, {"value": 40}, {"value": 30}, "lower"),
        (Falls.NEVER, {"value": 40}, {"value": 40}, "same"),
        (Falls.ALWAYS, {"value": 40, "at": 9}, {"value": 30, "at": 3}, "older"),
        (Falls.ALWAYS, {"value": 40, "at": 3}, {"value": 40, "at": 9}, "same"),
        (
            Falls.NEW_ATTEMPT,
            {"value": 40, "at": 9, "registration": "new"},
            {"value": 90, "at": 3, "registration": "old"},
            "other_attempt",
        ),
        (
            Falls.NEW_ATTEMPT,
            {"value": 40, "at": 3, "registration": "a"},
            {"value": 30, "at": 9, "registration": "a"},
            "lower",
        ),
    ],
)
async def test_what_moves_nothing_is_kept_with_the_reason(
    store: Store, falls: Falls, first: dict[str, int], second: dict[str, int], result: str
) -> None:
    for values in (first, second):
        await take(store, wants(change("ana", T, falls=falls, **values)))  # type: ignore[arg-type]
    assert (await moves(store))[1] == (second["value"], 40, 40, result)


async def test_a_statement_that_comes_again_is_a_duplicate(store: Store) -> None:
    statement = wants(change("ana", T, 40))
    await take(store, statement)
    await take(store, statement)
    assert (await moves(store))[1] == (40, None, None, "duplicate")


async def test_a_refused_submission_leaves_no_trace(store: Store) -> None:
    name = new_id()
    await take(store, submission(item(change("ana", T, 40), statement_id=name)))
    await take(store, submission(item(change("ana", T, 50), statement_id=name, digest=2)))
    assert len(await moves(store)) == 1


async def test_a_turn_is_kept_with_the_platforms_words(store: Store) -> None:
    await take(store, wants(change("ana", T, 40), at=4))
    lease = await lease_one(store)
    (state,) = lease.desired
    settled = Settlement(T, 1, "parked", "refused: NOT_FOUND", ParkCode.REFUSED_BY_PLATFORM)
    assert await store.settle(lease, [settled], now=MINUTE, ready_at=0, requests=[SENT])
    (turn,) = (await history(store)).turns
    assert (turn.learner, turn.at, turn.requests) == ("ana", MINUTE, (SENT,))
    (of_state,) = turn.settled
    assert (of_state.target, of_state.value, of_state.version) == (T, 40, 1)
    assert (of_state.result, of_state.reason, of_state.code) == (
        "parked",
        "refused: NOT_FOUND",
        "refused_by_platform",
    )
    assert (of_state.since, of_state.statement_id, of_state.rule) == (
        4,
        state.statement_id,
        "a rule",
    )


async def test_a_turn_that_tried_nothing_and_ended_nothing_is_not_kept(store: Store) -> None:
    await take(store, wants(change("ana", T, 40)))
    await settle(store, "untried")
    assert (await history(store)).turns == ()


async def test_a_settlement_that_comes_too_late_is_not_kept(store: Store) -> None:
    await take(store, wants(change("ana", T, 40)))
    lease = await lease_one(store)
    await settle(store, "delivered", now=3 * MINUTE)
    late = [Settlement(T, 1, "delivered")]
    assert not await store.settle(lease, late, now=4 * MINUTE, ready_at=0, requests=[SENT])
    assert len((await history(store)).turns) == 1


async def test_a_persons_attendance_is_found_and_nobody_elses(store: Store) -> None:
    meeting = Recipient.meeting("m")
    for who, name in (("ana", "attended"), ("ben", "not-attended")):
        target = Target(TargetKind.MEETING_ATTENDANCE, f"c {who}")
        await take(store, wants(change(meeting, target, name)))
    await settle(store, "delivered")
    kept = await history(store)
    assert [move.after for move in kept.moves] == ["attended"]
    assert [stored.desired.value for stored in kept.states] == ["attended"]
    assert [place.recipient for place in kept.queue] == [meeting]
    assert [of.target.key for turn in kept.turns for of in turn.settled] == ["c ana"]


async def test_what_was_read_back_is_kept(store: Store) -> None:
    await take(store, wants(change("ana", T, 40, read_back=PLACE)))
    await settle(store, "delivered")
    await store.audit("ana", [AuditFinding(T, 1, "differs", "drift: shows 0")], now=MINUTE)
    (reading,) = (await history(store)).turns[-1].read_back
    assert (reading.target, reading.result, reading.reason) == (T, "resent", "drift: shows 0")


async def test_what_the_platform_is_known_to_show_is_a_move(store: Store) -> None:
    await take(store, wants(change("ana", T, 40)))
    known = KnownDelivered(Recipient.learner("ana"), T, 80, PLACE)
    await store.mark_delivered([known], now=MINUTE)
    assert (await moves(store))[1] == (80, 40, 80, "moved")


async def test_a_new_decision_is_a_move_only_where_it_moves(store: Store) -> None:
    first = wants(change("ana", T, 40))
    await take(store, first)
    for dry_run in (False, True):
        await store.redecide([first], now=MINUTE, dry_run=dry_run)
    again = change("ana", T, 70, statement_id=first.items[0].statement_id)
    await store.redecide([wants(again)], now=MINUTE, dry_run=True)
    assert len(await moves(store)) == 1
    await store.redecide([wants(again)], now=MINUTE, dry_run=False)
    assert (await moves(store))[1] == (70, 40, 70, "moved")


async def test_states_and_the_place_in_the_queue_are_those_of_the_learner(store: Store) -> None:
    await take(store, wants(change("ana", T, 40), change("ana", course("c"), "started")))
    await take(store, wants(change("ben", T, 70)))
    kept = await history(store)
    assert {stored.desired.target for stored in kept.states} == {T, course("c")}
    (place,) = kept.queue
    assert (place.recipient, place.is_ready) == (Recipient.learner("ana"), True)


async def test_outcomes_of_statements_are_known_by_id(store: Store) -> None:
    statement = wants(change("ana", T, 40))
    name = statement.items[0].statement_id
    await take(store, statement)
    assert await store.outcomes([name, new_id()]) == {name: InputOutcome.APPLIED}


async def dead_letter(store: Store, body: str) -> None:
    letter = DeadLetter("no verb", "here", body.encode())
    await store.ingest([Submission("s", body.encode(), 1, (), (letter,), all_or_nothing=False)])


async def reasons_with(store: Store, *names: tuple[str, str]) -> list[str]:
    letters = await store.dead_letters_with(names, limit=9)
    assert all(letter.body == b"" for letter in letters)
    return [letter.reason for letter in letters]


async def test_dead_letters_are_found_by_what_is_in_them_in_any_case(store: Store) -> None:
    await dead_letter(store, '{"actor": {"mbox": "mailto:Ana@Example.com", "name": "Änna"}}')
    assert await reasons_with(store, ("ana@example.com", "")) == ["no verb"]
    assert await reasons_with(store, ("ben@example.com", ""), ("Änna", "actor")) == ["no verb"]
    assert await reasons_with(store, ("ben@example.com", ""), ("Änna", "acting")) == []
    assert await reasons_with(store) == []
    many = [(f"nobody{number}", "") for number in range(9)]
    assert await reasons_with(store, *many, ("ana@example.com", "")) == ["no verb"]


async def test_bytes_of_dead_letters_are_found_whatever_they_are(store: Store) -> None:
    await dead_letter(store, "a\\b\x00 \\303 '%_")
    for text in ("a\\b", "\\303 '", "%_"):
        assert await reasons_with(store, (text, "")) == ["no verb"]
    for text in ("a%", "\x00\\", "\u00c3"):
        assert await reasons_with(store, (text, "")) == []


async def test_dead_letters_are_looked_through_up_to_a_number_of_bytes(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("sqlite", "postgres"):
        monkeypatch.setattr(f"pointsman.store.{name}.history.LETTER_BYTES_LOOKED_AT", 1_000)
    for who in ("ana", "ben", "cleo"):
        await dead_letter(store, f"{who} {'x' * 700}")
    everyone = (("ana", ""), ("ben", ""), ("cleo", ""))
    assert len(await reasons_with(store, *everyone)) == 2
    assert await reasons_with(store, ("ana", "")) == []


async def test_turns_are_listed_in_order_from_a_time_and_behind_one(store: Store) -> None:
    for number, who in enumerate(["ana", "ben", "cleo"], start=1):
        await take(store, wants(change(who, T, 40)))
        await settle(store, "delivered", now=number * MINUTE)
    listed = await store.turns_since(since=2 * MINUTE, after=None, limit=9)
    assert [turn.learner for turn in listed] == ["ben", "cleo"]
    after = (listed[0].at, listed[0].id)
    behind = await store.turns_since(since=0, after=after, limit=9)
    assert [turn.learner for turn in behind] == ["cleo"]
    assert [turn.learner for turn in await store.newest_turns(limit=2)] == ["cleo", "ben"]


async def test_history_is_forgotten_by_age_and_by_number(store: Store) -> None:
    for value in range(1, 6):
        await take(store, wants(change("ana", T, value), at=value))
        await take(store, wants(change("ana", T, 0), at=value))
        await settle(store, "delivered", now=2**52 + value * MINUTE)
    at = {move.after: move.at for move in (await history(store)).moves}
    step = await store.prune_history(before=at[2], keep=3, after="", learners=9)
    assert step.after == ""
    kept = await history(store)
    assert [move.after for move in kept.moves if move.result == "moved"] == [3, 4, 5]
    assert len([move for move in kept.moves if move.result == "lower"]) == 3
    assert len(kept.turns) == 3
    assert [stored.desired.value for stored in kept.states] == [5]


async def test_pruning_goes_from_learner_to_learner(store: Store) -> None:
    for who in ("ana", "ben", "cleo"):
        for value in (1, 2):
            await take(store, wants(change(who, T, value)))
    step = await store.prune_history(before=0, keep=1, after="", learners=2)
    assert (step.rows, step.after) == (2, "ben")
    step = await store.prune_history(before=0, keep=1, after=step.after, learners=2)
    assert (step.rows, step.after) == (1, "")


async def test_a_course_is_found_with_its_topics_and_what_waits_first(store: Store) -> None:
    place = ReadBackPlace.course("c")
    topic_of_course = replace(change("ana", T, 40), read_back=place)
    await take(store, wants(topic_of_course, change("ana", topic("another"), 40)))
    await settle(store, "delivered")
    await take(store, wants(change("ben", course("c"), "started")))
    for name in ("c", "slug:c"):
        states = await store.states_of_course(name, limit=9)
        expected = [("ben", "slug:c"), ("ana", T.key)] if name == "c" else [("ben", "slug:c")]
        assert [(str(one.recipient), one.target.key) for one in states] == expected
    assert len(await store.states_of_course("c", limit=1)) == 1
    assert await store.states_of_course("other", limit=9) == []
