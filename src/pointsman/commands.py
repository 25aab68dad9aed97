"""The work of single commands, done with the daemon's parts but without the daemon."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pointsman import operations, privacy, replicas, wiring
from pointsman.config import Settings
from pointsman.delivery.settled_deliveries import SettledDelivery, settled_deliveries
from pointsman.delivery.state_import import ImportStep, ImportTarget, StateImport
from pointsman.domain.clock import SystemClock, micros
from pointsman.domain.operator_actions import OperatorAction
from pointsman.domain.pauses import Pause
from pointsman.domain.records import Desired, Submission
from pointsman.domain.target_kinds import TargetKind
from pointsman.operations import intake_of, recorded
from pointsman.privacy import ForgetRequest, Forgotten
from pointsman.replicas import Replica
from pointsman.sources.backfill import (
    BackfillLoader,
    BackfillProgress,
    LoadRate,
    LrsClient,
    LrsSettings,
    StatementFile,
)
from pointsman.sources.players import revocations
from pointsman.sources.replay import ReplayPage
from pointsman.sources.rule_trial import RuleResult, RuleTrial, try_file, try_stored
from pointsman.sources.stored_changes import stored_submissions
from pointsman.sources.unmatched import unmatched_of as find_unmatched
from pointsman.store.base import (
    Backlog,
    Books,
    RefusedLearner,
    Restored,
    Store,
    StoredDeadLetter,
    UnmatchedSummary,
)
from pointsman.store.migrations import Migration
from pointsman.story import Question, Story

__all__ = [
    "BackfillProgress",
    "ForgetRequest",
    "Forgotten",
    "ImportStep",
    "ImportTarget",
    "LoadRate",
    "LrsSettings",
    "ReplayPage",
    "RuleResult",
    "RuleTrial",
    "SettledDelivery",
    "WaitsForPerson",
    "back_up",
    "books",
    "deliveries",
    "explain",
    "export_person",
    "forget",
    "import_file",
    "import_lrs",
    "import_state",
    "pause",
    "recorded",
    "refused_learners",
    "reload",
    "replay",
    "replay_letters",
    "restore",
    "resume",
    "revoke_launches",
    "status",
    "try_rules",
    "unmatched_of",
    "upgrade",
    "waits_for_person",
    "who",
    "with_store",
]

T = TypeVar("T")

_CLOCK = SystemClock()
#: turns that are handed out at once
_DELIVERIES = 1_000


async def with_store(settings: Settings, use: Callable[[Store], Awaitable[T]]) -> T:
    """Use the configured store, beside the daemons that may have it open."""
    store = wiring.store(settings, _CLOCK, beside=True)
    await store.open()
    try:
        return await use(store)
    finally:
        await store.close()


async def pause(
    settings: Settings, action: OperatorAction, kind: TargetKind | None, reason: str
) -> Pause:
    """Send nothing of this kind, or nothing at all, until it is resumed."""
    return await with_store(
        settings, lambda store: operations.pause(store, action, kind, reason, _CLOCK)
    )


async def resume(
    settings: Settings, action: OperatorAction, kind: TargetKind | None
) -> list[Pause]:
    """Send this kind again, or everything with None; what was paused until now."""
    return await with_store(settings, lambda store: operations.resume(store, action, kind))


async def reload(settings: Settings, action: OperatorAction, within: float) -> list[Replica]:
    """Have every replica read its configuration; what each runs then."""
    return await with_store(
        settings, lambda store: operations.reload(store, action, _CLOCK, within=within)
    )


async def status(settings: Settings) -> tuple[list[Pause], Backlog, list[Replica]]:
    """What is paused, what waits, and which configuration each replica runs."""

    async def use(store: Store) -> tuple[list[Pause], Backlog, list[Replica]]:
        running = (await replicas.read(store)).alive(micros(_CLOCK.now()))
        return await store.pauses(), await store.backlog(), running

    return await with_store(settings, use)


async def forget(
    settings: Settings,
    action: OperatorAction,
    request: ForgetRequest,
    on_step: Callable[[str], None] = lambda _words: None,
) -> Forgotten:
    """Erase a person from the store, beside the daemons; `on_step` is told in words.

    The record of operators' actions has a pseudonym of the person. A dry run is not on it.
    """
    return await with_store(
        settings,
        lambda store: operations.forget(settings, store, _CLOCK, action, request, on_step),
    )


async def export_person(settings: Settings, action: OperatorAction, learner: str) -> dict[str, Any]:
    """All that the store holds of a person, as JSON."""
    return await with_store(
        settings, lambda store: operations.export_person(settings, store, action, learner)
    )


async def explain(settings: Settings, question: Question, *, limit: int) -> Story:
    """Why a learner's state is what it is, beside the daemon; the newest `limit` events of it."""
    return await with_store(
        settings,
        lambda store: wiring.teller(settings, store, _CLOCK).tell(question, limit=limit),
    )


async def try_rules(
    settings: Settings,
    other: Settings | None,
    on_trial: Callable[[RuleTrial], None],
    *,
    path: Path | None,
    last: int,
) -> None:
    """Put statements through the rules, of a file or the `last` of the store; nothing is stored.

    `other` has rules to compare.
    """

    async def of_store(store: Store) -> None:
        rules = wiring.pipeline(settings, store, _CLOCK)
        others = None if other is None else wiring.pipeline(other, store, _CLOCK)
        async for trial in try_stored(store, rules, others, count=last):
            on_trial(trial)

    if path is None:
        await with_store(settings, of_store)
        return
    rules = wiring.pipeline_without_store(settings, _CLOCK)
    others = None if other is None else wiring.pipeline_without_store(other, _CLOCK)
    max_bytes = settings.http.max_body_bytes
    async for trial in try_file(path, rules, others, _CLOCK, max_bytes=max_bytes):
        on_trial(trial)


async def deliveries(
    settings: Settings,
    *,
    since: int,
    until: int,
    on_page: Callable[[list[SettledDelivery]], None],
) -> None:
    """What was settled in between, in the order of time, page by page."""

    async def use(store: Store) -> None:
        after = None
        while turns := await store.turns_since(since=since, after=after, limit=_DELIVERIES):
            after = (turns[-1].at, turns[-1].id)
            wanted = [turn for turn in turns if turn.at < until]
            on_page([one for turn in wanted for one in settled_deliveries(turn)])
            if len(turns) < _DELIVERIES:
                break

    await with_store(settings, use)


async def who(settings: Settings, pseudonym: str) -> str | None:
    """The learner whom the log calls so, None where the store knows none."""
    rules = wiring.identity_rules(settings)
    return await with_store(settings, lambda store: privacy.find_pseudonym(store, pseudonym, rules))


async def refused_learners(settings: Settings) -> list[RefusedLearner]:
    """Whose input is refused, as hashes."""
    return await with_store(settings, lambda store: store.refused_learners())


async def books(settings: Settings) -> Books:
    """The books of the configured store."""
    return await with_store(settings, lambda store: store.books())


@dataclass(frozen=True, slots=True)
class WaitsForPerson:
    """The oldest of what does not go on by itself."""

    parked: Desired | None
    dead_letter: StoredDeadLetter | None


async def waits_for_person(settings: Settings) -> WaitsForPerson:
    """What `pointsman verify` names beside the sums."""

    async def ask(store: Store) -> WaitsForPerson:
        parked = await store.parked(limit=1)
        letters = await store.dead_letters(limit=1)
        return WaitsForPerson(parked[0] if parked else None, letters[0] if letters else None)

    return await with_store(settings, ask)


async def unmatched_of(settings: Settings, learner: str) -> list[UnmatchedSummary]:
    """The activities of one learner that no rule takes."""
    resolve = wiring.identity(settings).resolve
    return await with_store(settings, lambda store: find_unmatched(store, resolve, learner))


async def upgrade(settings: Settings) -> list[Migration]:
    """Bring the store's schema up to date; what was done."""
    return await wiring.store(settings, _CLOCK).upgrade()


async def back_up(
    settings: Settings, target: Path, on_progress: Callable[[int, int], None]
) -> None:
    """Copy the store while it is used. Raises `ConfigError`."""
    await wiring.store(settings, _CLOCK, beside=True).backup(target, on_progress)


async def restore(
    settings: Settings, backup: Path, on_progress: Callable[[int, int], None]
) -> Restored:
    """Put a backup in the store's place, while nothing uses it. Raises `ConfigError`."""
    return await wiring.store(settings, _CLOCK).restore(backup, on_progress)


async def import_file(
    settings: Settings,
    action: OperatorAction,
    path: Path,
    pace: LoadRate,
    on_progress: Callable[[int, int | None], None],
) -> BackfillProgress:
    """Take a file's statements in. `on_progress` is told (bytes read, bytes)."""
    source = StatementFile(path, settings.http.max_body_bytes)

    async def use(store: Store) -> BackfillProgress:
        loader = BackfillLoader(store, await intake_of(settings, store, _CLOCK), _CLOCK, pace)
        async for reached in loader.file(source):
            on_progress(reached, source.size)
        return loader.done

    return await with_store(settings, recorded(action, use, _taken_in))


async def import_lrs(
    settings: Settings,
    action: OperatorAction,
    lrs: LrsSettings,
    pace: LoadRate,
    on_progress: Callable[[int, int | None], None],
) -> BackfillProgress:
    """Take another store's statements in. `on_progress` is told (statements read, None)."""

    async def use(store: Store) -> BackfillProgress:
        loader = BackfillLoader(store, await intake_of(settings, store, _CLOCK), _CLOCK, pace)
        async with LrsClient(lrs, _CLOCK) as source:
            async for count in loader.lrs(source):
                on_progress(count, None)
        return loader.done

    return await with_store(settings, recorded(action, use, _taken_in))


def _taken_in(done: BackfillProgress) -> str:
    return f"{done.outcomes.total()} statements taken in"


async def revoke_launches(
    settings: Settings, action: OperatorAction, *, registration: str = "", learner: str = ""
) -> None:
    """No credential of the registration's launches, or of the learner's, opens anything any longer.

    Give one of the two.
    """

    async def use(store: Store) -> None:
        if registration:
            await revocations.revoke_registration(store, registration, _CLOCK)
        if learner:
            await revocations.revoke_learner(store, learner, _CLOCK)

    await with_store(settings, recorded(action, use, lambda _: "done"))


async def replay(
    settings: Settings,
    *,
    since: int,
    until: int,
    action: OperatorAction | None,
    on_page: Callable[[ReplayPage], None],
) -> None:
    """Decide anew about the statements stored in between, beside the daemons.

    Without an `action` for the record it is a dry run, and nothing is changed.
    """
    await with_store(
        settings,
        lambda store: operations.replay(
            settings, store, _CLOCK, since=since, until=until, action=action, on_page=on_page
        ),
    )


async def stored_input(settings: Settings, *, since: int) -> list[Submission]:
    """What was stored since (microseconds) that a rule of now takes, to be played again."""

    async def use(store: Store) -> list[Submission]:
        intake = await intake_of(settings, store, _CLOCK)
        return await stored_submissions(store, intake, since=since)

    return await with_store(settings, use)


async def replay_letters(
    settings: Settings,
    action: OperatorAction | None,
    choose: Callable[[Store], Awaitable[Sequence[int]]],
    on_letter: Callable[[int, str], None],
) -> None:
    """Read dead letters again, with the rules and limits of now.

    Without an `action` for the record it is a dry run, and nothing is changed.
    """

    async def use(store: Store) -> None:
        numbers = await choose(store)
        await operations.replay_letters(settings, store, _CLOCK, action, numbers, on_letter)

    await with_store(settings, use)


async def import_state(
    settings: Settings,
    action: OperatorAction,
    targets: Sequence[ImportTarget] | None,
    on_step: Callable[[ImportStep, int, int], None],
) -> None:
    """Take what the platform knows as delivered: of these courses, or of all that is dirty.

    `on_step` is told each learner's step, its number and how many there are. No other process may
    have the store open: raises `ConfigError`.
    """
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        clients = wiring.platform_clients(settings, clock)
        stack.push_async_callback(clients.close)
        limits = wiring.quota(settings, clients.platform)
        store, budget = wiring.store_and_budget(settings, clock, limits)
        await store.open()
        stack.push_async_callback(store.close)
        await budget.open()
        stack.push_async_callback(budget.close)
        tokens = wiring.token_sources(
            settings, store, clock, lambda _learners: None, clients.login.log_in
        ).provider
        await tokens.open()
        stack.push_async_callback(tokens.close)

        async def use(store: Store) -> int:
            limit = settings.platform.limits.points_per_request
            importer = StateImport(
                store, clients.reader, tokens, budget, clock, points_per_request=limit
            )
            if targets is None:
                desired = await store.undelivered()
                total, steps = len(desired), importer.of_desired(desired)
            else:
                total = len({target.learner for target in targets})
                steps = importer.of_courses(targets)
            number = taken = 0
            async for step in steps:
                number += 1
                taken += step.taken
                on_step(step, number, total)
            return taken

        await recorded(action, use, lambda count: f"{count} taken as delivered")(store)
