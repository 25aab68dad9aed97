"""`pointsman platform` asks the platform and shows its answers, as tables or JSON."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from pydantic import TypeAdapter

from pointsman.cli import platform_tables as tables
from pointsman.cli.learning_path_file import NewPath, read_new_path
from pointsman.cli.options import DEFAULT_CONFIG, ConfigOption
from pointsman.cli.output import WideOption, print_table
from pointsman.cli.platform_login import login
from pointsman.cli.platform_session import PlatformSession, refuse, with_platform
from pointsman.commands import with_store
from pointsman.config import Settings, load
from pointsman.domain.errors import ConfigError, StoreUnavailable
from pointsman.platforms.helium.calls import CallResult
from pointsman.store.base import Window

T = TypeVar("T")

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="What the platform says, in tables or as JSON. Each command spends a few points.",
)
learning_path = typer.Typer(no_args_is_help=True, help="Learning paths.")
milestone = typer.Typer(no_args_is_help=True, help="Milestones of learning paths.")
course = typer.Typer(no_args_is_help=True, help="A learner's courses.")
app.add_typer(learning_path, name="learning-path")
app.add_typer(milestone, name="milestone")
app.add_typer(course, name="course")

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
LearnerOption = Annotated[
    str, typer.Option("--learner", help="Whose; the learner needs an authToken in [learners].")
]


@learning_path.command("show")
def show_path(
    slug: str,
    config: ConfigOption = DEFAULT_CONFIG,
    *,
    learner: Annotated[
        str | None, typer.Option(help="Also when this learner started it, and the certificate.")
    ] = None,
    wide: WideOption = False,
    as_json: JsonOption = False,
) -> None:
    """Show a learning path with its milestones and prices.

    **Example:** `pointsman platform learning-path show yard-foreman`
    """

    async def ask(platform: PlatformSession) -> CallResult[object]:
        token = None if learner is None else await platform.token(learner)
        return _untyped(await platform.calls.learning_path_by_slug(slug, token))

    _print_answer(config, ask, tables.learning_path, wide=wide, as_json=as_json)


@learning_path.command("create")
def create_path(
    file: Annotated[Path, typer.Argument(help="TOML or JSON.", exists=True, dir_okay=False)],
    config: ConfigOption = DEFAULT_CONFIG,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask first.")] = False,
    wide: WideOption = False,
    as_json: JsonOption = False,
) -> None:
    """Make a learning path, as a draft, from a file. It is made again by every call.

    The file has `name`, and perhaps `language` and `client_id`, and `[[milestones]]` with `name`,
    `course_ids`, and perhaps `kind` and `requirement`.

    **Example:** `pointsman platform learning-path create onboarding.toml`
    """
    wanted: NewPath = read_new_path(file)
    if not yes:
        parts = f"{len(wanted.milestones)} milestones"
        typer.confirm(f"Make the learning path {wanted.name!r} with {parts}?", abort=True)

    async def ask(platform: PlatformSession) -> CallResult[object]:
        return _untyped(
            await platform.calls.create_learning_path(
                wanted.name,
                [milestone.as_input() for milestone in wanted.milestones],
                language=wanted.language,
                client_id=wanted.client_id,
            )
        )

    _print_answer(config, ask, tables.created_path, wide=wide, as_json=as_json)


@milestone.command("show")
def show_milestone(
    milestone_id: Annotated[str, typer.Argument(metavar="ID")],
    config: ConfigOption = DEFAULT_CONFIG,
    *,
    wide: WideOption = False,
    as_json: JsonOption = False,
) -> None:
    """Show a milestone with its courses and what completes it.

    **Example:** `pointsman platform milestone show milestone_001`
    """

    async def ask(platform: PlatformSession) -> CallResult[object]:
        return _untyped(await platform.calls.milestone(milestone_id))

    _print_answer(config, ask, tables.milestone, wide=wide, as_json=as_json)


@app.command()
def milestones(
    slug: str,
    config: ConfigOption = DEFAULT_CONFIG,
    *,
    learner: LearnerOption,
    wide: WideOption = False,
    as_json: JsonOption = False,
) -> None:
    """Show what a learner has completed of a learning path.

    **Example:** `pointsman platform milestones yard-foreman --learner ana@example.com`
    """

    async def ask(platform: PlatformSession) -> CallResult[object]:
        token = await platform.token(learner)
        return _untyped(await platform.calls.milestone_completions(slug, token))

    _print_answer(config, ask, tables.completions, wide=wide, as_json=as_json)


def _course_command(
    name: str,
    call: Callable[[PlatformSession, str, str], Awaitable[CallResult[T]]],
    table: Callable[[T], tables.Shown],
    summary: str,
) -> None:
    def command(
        course_id: Annotated[str, typer.Argument(metavar="ID")],
        config: ConfigOption = DEFAULT_CONFIG,
        *,
        learner: LearnerOption,
        wide: WideOption = False,
        as_json: JsonOption = False,
    ) -> None:
        async def ask(platform: PlatformSession) -> CallResult[T]:
            return await call(platform, course_id, await platform.token(learner))

        _print_answer(config, ask, table, wide=wide, as_json=as_json)

    command.__doc__ = (
        f"{summary}\n\n"
        f"**Example:** `pointsman platform course {name} course_demo --learner ana@example.com`"
    )
    course.command(name)(command)


_course_command(
    "progress",
    lambda platform, name, token: platform.calls.course_progress(name, token),
    tables.course_progress,
    "Show how far a learner is in a course.",
)
_course_command(
    "pages",
    lambda platform, name, token: platform.calls.pages_completed(name, token),
    tables.pages,
    "Show the pages of a course that a learner has completed.",
)
_course_command(
    "criteria",
    lambda platform, name, token: platform.calls.completion_progress(name, token),
    tables.criteria,
    "Show how far a learner is in each of a course's completion criteria.",
)


app.command()(login)


@app.command()
def budget(
    config: ConfigOption = DEFAULT_CONFIG, *, wide: WideOption = False, as_json: JsonOption = False
) -> None:
    """Show what is left in the quota window: by the platform's headers, and by our own books.

    **Example:** `pointsman platform budget`
    """
    settings = load(config)

    async def ask(platform: PlatformSession) -> None:
        reply = await platform.calls.probe()
        if reply.data is None:
            refuse(reply.message, "see platform.url and platform.api_key", reply.answer.outcome)
        rate = reply.answer.rate
        window = await _window(settings)
        now = datetime.now(UTC).timestamp()
        running = window is not None and window.ends_at / 1e6 > now
        shown: dict[str, dict[str, float | None]] = {
            "platform": {"points_left": rate.points_left, "resets_in_seconds": rate.resets_in},
            "ours": {
                "points_set_aside": window.points if window is not None and running else 0,
                "requests_set_aside": window.requests if window is not None and running else 0,
                "points_a_minute": settings.platform.limits.usable_points,
                "requests_a_minute": settings.platform.limits.usable_requests,
            },
        }
        if as_json:
            typer.echo(json.dumps(shown, indent=2))
        else:
            print_table(tables.budget(shown), wide=wide)

    asyncio.run(with_platform(settings, ask))


async def _window(settings: Settings) -> Window | None:
    """What the daemon, or all replicas together, have sent or set aside of the quota."""
    try:
        return await with_store(settings, lambda store: store.window())
    except (ConfigError, StoreUnavailable):
        return None


def _untyped(reply: CallResult[T]) -> CallResult[object]:
    return CallResult(reply.answer, reply.data)


def _print_answer(
    config: Path,
    ask: Callable[[PlatformSession], Awaitable[CallResult[T]]],
    table: Callable[..., tables.Shown],
    *,
    wide: bool,
    as_json: bool,
) -> None:
    """Print what came back; exit code 1 with the platform's words where it refused."""

    async def run(platform: PlatformSession) -> None:
        reply = await ask(platform)
        if reply.data is None:
            refuse(
                reply.message,
                "see that the platform has it under that name",
                reply.answer.outcome,
            )
        if as_json:
            dumped = TypeAdapter(object).dump_python(reply.data, mode="json", by_alias=True)
            typer.echo(json.dumps(dumped, indent=2, ensure_ascii=False))
        else:
            print_table(table(reply.data), wide=wide)

    asyncio.run(with_platform(load(config), run))
