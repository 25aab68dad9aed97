"""One transaction that remembers any number of submissions, in a fixed number of SQL steps.

Replicas do this at the same time. The rows of `learners` are locks on their learners' state;
positions are locked before them, statement ids after them, and each of the three in byte order, so
that no two transactions wait for each other in a circle.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import zstandard

from pointsman.domain.desired_state import Desired
from pointsman.domain.records import Receipt, Submission
from pointsman.domain.targets import Recipient, Target
from pointsman.store.commit_plan import Plan
from pointsman.store.desired_codec import MOVED
from pointsman.store.evidence import Gathered, from_body, links, to_body
from pointsman.store.postgres import statement_index
from pointsman.store.postgres.history_rows import write_moves
from pointsman.store.postgres.pool import CollisionError
from pointsman.store.postgres.rows import CODEC, SQL, columns
from pointsman.store.postgres.session import Connection
from pointsman.store.statement_conflicts import former_names
from pointsman.store.statement_index import ReadKeys
from pointsman.store.strip_nul import text

COMPRESSION_LEVEL = 1

_Dead = tuple[str, str, bytes]


@dataclass(frozen=True, slots=True)
class Current:
    """What is stored of all that some submissions are about; its recipients are locked."""

    known: dict[str, int]
    desired: dict[tuple[Recipient, Target], Desired]
    claims: dict[tuple[str, str, int], int]
    evidence: dict[tuple[Recipient, str], Gathered]

    def plan(self, dead: frozenset[_Dead] = frozenset()) -> Plan:
        def is_dead(source: str, origin: str, body_hash: bytes) -> bool:
            return (source, origin, body_hash) in dead

        return Plan(dict(self.known), dict(self.desired), is_dead, self.claims, dict(self.evidence))


async def ingest(
    connection: Connection,
    submissions: Sequence[Submission],
    stored_at: int,
    shard: int,
    read_keys: ReadKeys,
) -> list[Receipt]:
    """Write all of them inside the caller's transaction; a receipt each, in order."""
    current = await lock_and_read(connection, submissions)
    plan = current.plan()
    receipts = [plan.take(submission) for submission in submissions]
    if dead := await known_dead_letters(connection, plan):
        plan = current.plan(dead)
        receipts = [plan.take(submission) for submission in submissions]
    await write(connection, plan, stored_at, shard, read_keys)
    return receipts


async def lock_and_read(connection: Connection, submissions: Sequence[Submission]) -> Current:
    """Lock what they are about, and read it."""
    claims = await _claims(connection, submissions)
    changes = [
        change
        for submission in submissions
        for item in submission.items
        for change in item.decision.changes
    ]
    await lock(connection, {str(change.recipient) for change in changes})
    ids = [item.statement_id for submission in submissions for item in submission.items]
    known = dict(await connection.fetch(SQL["known_statements"], ids)) if ids else {}
    if former := former_names(submissions):
        rows = await connection.fetch(SQL["formerly_known"], *columns(former, 3))
        known = dict(rows) | known
    keys = {(str(one.recipient), one.target.kind.value, one.target.key) for one in changes}
    rows = await connection.fetch(SQL["desired_by_key"], *columns(keys, 3)) if keys else []
    named = {(str(one.recipient), link.key) for one in changes for link in links(one)}
    gathered = await connection.fetch(SQL["evidence_by_key"], *columns(named, 2)) if named else []
    return Current(
        known,
        {(one.recipient, one.target): one for one in map(CODEC.decode, rows)},
        claims,
        {(Recipient.from_text(learner), key): from_body(body) for learner, key, body in gathered},
    )


async def lock(connection: Connection, learners: Iterable[str]) -> None:
    """Nobody else moves or leases these learners' state until the transaction ends."""
    names = list(learners)
    if names:
        await connection.execute(SQL["add_learners"], names)
        await connection.execute(SQL["lock_learners"], names)


async def known_dead_letters(connection: Connection, plan: Plan) -> frozenset[_Dead]:
    """Which of the plan's dead letters are here."""
    if not plan.dead:
        return frozenset()
    keys = [(text(source), text(origin), body_hash) for source, origin, body_hash in plan.dead]
    rows = await connection.fetch(SQL["known_dead_letters"], *columns(keys, 3))
    here = {tuple(row) for row in rows}
    return frozenset(found for found, key in zip(plan.dead, keys, strict=True) if key in here)


async def _claims(
    connection: Connection, submissions: Sequence[Submission]
) -> dict[tuple[str, str, int], int]:
    places = {
        (at.group, at.topic, at.partition)
        for submission in submissions
        if (at := submission.position) is not None
    }
    if not places:
        return {}
    rows = await connection.fetch(SQL["lock_claims"], *columns(places, 3))
    return {(group, topic, partition): token for group, topic, partition, token in rows}


async def write(
    connection: Connection, plan: Plan, stored_at: int, shard: int, read_keys: ReadKeys
) -> None:
    """Write what the plan holds. Raises `CollisionError` when another replica was faster."""
    if plan.statements:
        await _write_statements(connection, plan, stored_at, read_keys)
    if plan.moved:
        moved = [CODEC.moved_row(one) for one in plan.moved.values()]
        await connection.execute(SQL["upsert_desired"], *columns(moved, len(MOVED)))
    if plan.history is not None:
        await write_moves(connection, plan.history, stored_at)
    if plan.grown:
        grown = [
            (str(recipient), key, to_body(known)) for (recipient, key), known in plan.grown.items()
        ]
        await connection.execute(SQL["upsert_evidence"], *columns(grown, 3))
    if plan.queue:
        queued = [
            (str(recipient), one.urgent, one.due, one.source, one.rule, one.deadline or None)
            for recipient, one in plan.queue.items()
        ]
        await connection.execute(SQL["queue_learners"], *columns(queued, 6))
    if plan.positions:
        positions = [
            (*where, at.offset, at.log_id, at.last_record) for where, at in plan.positions.items()
        ]
        await connection.execute(SQL["save_positions"], *columns(positions, 6))
    if plan.dead:
        await connection.execute(SQL["insert_dead_letters"], *columns(_letters(plan), 8))
    if plan.unmatched:
        unmatched = [
            (text(activity), one.inputs, one.sample_id, one.at)
            for activity, one in plan.unmatched.items()
        ]
        await connection.execute(SQL["add_unmatched"], *columns(unmatched, 4))
    if plan.accepted:
        await connection.execute(SQL["add_accepted"], *columns(plan.accepted.items(), 2), shard)


async def _write_statements(
    connection: Connection, plan: Plan, stored_at: int, read_keys: ReadKeys
) -> None:
    block = zstandard.ZstdCompressor(level=COMPRESSION_LEVEL).compress(b"".join(plan.bodies))
    rows = [
        (
            new.item.statement_id,
            new.item.digest,
            new.outcome.value,
            new.submission.source,
            new.submission.received_at,
            new.start,
            new.length,
            new.item.index,
            new.submission.version,
        )
        for new in plan.statements
    ]
    ranks = await statement_index.ranks_by_key(connection, plan, read_keys)
    values = (stored_at, block, list(ranks), list(ranks.values()), *columns(rows, 9))
    done = await connection.fetchrow(SQL["insert_commit"], *values)
    if done["stored"] != len(rows):
        raise CollisionError("another replica stored one of these statements just now")
    if done["has_references"]:
        await statement_index.write_late(connection, plan)
    await statement_index.write(connection, plan, done["block"])


def _letters(plan: Plan) -> list[tuple[Any, ...]]:
    return [
        (
            text(one.submission.source),
            text(one.letter.origin),
            text(one.letter.reason),
            one.letter.statement_id,
            one.in_statements,
            one.submission.received_at,
            one.body_hash,
            one.letter.body,
        )
        for one in plan.dead.values()
    ]
