"""Statements that commands bring in, read again, or only try."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from pointsman import operations, wiring
from pointsman.commands.beside import CLOCK, with_store
from pointsman.config import Settings
from pointsman.domain.operator_actions import OperatorAction
from pointsman.domain.quantities import counted
from pointsman.domain.records import Submission
from pointsman.operations import intake_of, recorded
from pointsman.sources.backfill import (
    BackfillLoader,
    BackfillProgress,
    LoadRate,
    LrsClient,
    LrsSettings,
    StatementFile,
)
from pointsman.sources.replay import ReplayPage
from pointsman.sources.rule_trial import RuleTrial, try_file, try_stored
from pointsman.sources.stored_changes import stored_submissions
from pointsman.store.base import (
    Store,
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
        rules = wiring.pipeline(settings, store, CLOCK)
        others = None if other is None else wiring.pipeline(other, store, CLOCK)
        async for trial in try_stored(store, rules, others, count=last):
            on_trial(trial)

    if path is None:
        await with_store(settings, of_store)
        return
    rules = wiring.pipeline_without_store(settings, CLOCK)
    others = None if other is None else wiring.pipeline_without_store(other, CLOCK)
    max_bytes = settings.http.max_body_bytes
    async for trial in try_file(path, rules, others, CLOCK, max_bytes=max_bytes):
        on_trial(trial)


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
        loader = BackfillLoader(store, await intake_of(settings, store, CLOCK), CLOCK, pace)
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
        loader = BackfillLoader(store, await intake_of(settings, store, CLOCK), CLOCK, pace)
        async with LrsClient(lrs, CLOCK) as source:
            async for count in loader.lrs(source):
                on_progress(count, None)
        return loader.done

    return await with_store(settings, recorded(action, use, _taken_in))


def _taken_in(done: BackfillProgress) -> str:
    return f"{counted(done.outcomes.total(), 'statement')} taken in"


async def replay(
    settings: Settings,
    *,
    since: int,
    until: int,
    action: OperatorAction | None,
    on_page: Callable[[ReplayPage], None],
) -> None:
    """Decide again about the statements stored in between, beside the daemons.

    Without an `action` for the record it is a dry run, and nothing is changed.
    """
    await with_store(
        settings,
        lambda store: operations.replay(
            settings, store, CLOCK, since=since, until=until, action=action, on_page=on_page
        ),
    )


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
        await operations.replay_letters(settings, store, CLOCK, action, numbers, on_letter)

    await with_store(settings, use)


async def stored_input(settings: Settings, *, since: int) -> list[Submission]:
    """What was stored since (microseconds) that a rule of now takes, to be played again."""

    async def use(store: Store) -> list[Submission]:
        intake = await intake_of(settings, store, CLOCK)
        return await stored_submissions(store, intake, since=since)

    return await with_store(settings, use)
