"""`pointsman simulate` runs the scheduler in virtual time: how many learners does a quota carry?"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from pydantic import ValidationError

from pointsman.cli.options import ConfigOption, output_path
from pointsman.cli.output import PlainTable, WideOption, print_table
from pointsman.cli.times import parse_time
from pointsman.config import load
from pointsman.domain.records import Submission
from pointsman.platforms.settings import PlatformLimits
from pointsman.setting_types import Section
from pointsman.simulation.model_platform import Span, Weather
from pointsman.simulation.picture import draw
from pointsman.simulation.report import Report, report_of
from pointsman.simulation.run import Outcome, Scenario, simulate_trace
from pointsman.simulation.run import simulate as run
from pointsman.simulation.workload import Burst, WorkloadNumbers

S = TypeVar("S", bound=Section)


def simulate(
    config: ConfigOption = Path(),
    *,
    learners: Annotated[
        str, typer.Option(help="How many work at once; several, with commas, are compared.")
    ] = "1000",
    minutes: Annotated[float, typer.Option(min=0.1, help="How long.")] = 60.0,
    topics: Annotated[int, typer.Option(min=1, help="Of each course.")] = 30,
    topic_seconds: Annotated[
        float, typer.Option(min=1, help="How long a learner takes for a topic, on average.")
    ] = 357.0,
    heartbeat: Annotated[
        str, typer.Option(help="Seconds between two reports of a player, or a range of them.")
    ] = "10-30",
    burst: Annotated[
        list[str] | None,
        typer.Option(help="AT:SECONDS:FACTOR: topics are completed FACTOR times as fast."),
    ] = None,
    outage: Annotated[
        list[str] | None, typer.Option(help="AT:SECONDS: the platform answers HTTP 503.")
    ] = None,
    refusals: Annotated[
        list[str] | None, typer.Option(help="AT:SECONDS: it refuses all authTokens with HTTP 401.")
    ] = None,
    latency: Annotated[
        str, typer.Option(help="Seconds that the platform takes, or a range of them.")
    ] = "0.15",
    competitor: Annotated[
        str,
        typer.Option(help="Part of the quota that others use, or a range, drawn for each window."),
    ] = "0",
    what_if: Annotated[
        list[str] | None,
        typer.Option(
            help="SETTING=VALUE of [delivery] or [platform.limits]: compared with the setting as "
            "it is. May be repeated."
        ),
    ] = None,
    trace: Annotated[
        str, typer.Option(help="Play what the store has taken in since: 2h, 3d, or a time.")
    ] = "",
    seed: Annotated[int, typer.Option(help="Another one is another day.")] = 1,
    picture: Annotated[
        list[Path] | None, typer.Option(help="Draw it: a file .svg or .png; may be repeated.")
    ] = None,
    wide: WideOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Run the scheduler in virtual time: how many learners does a quota carry?

    It runs against a model of the platform, and nothing is sent. The dispatcher, the sender and the
    budget are the daemon's. With `--config`, so are the limits and the settings of [delivery];
    without it, the defaults.

    **Example:** `pointsman simulate --learners 2000,5000,10000 --minutes 30`

    **Example:** `pointsman simulate --what-if share=0.5 --what-if economy=thrifty`

    **Example:** `pointsman simulate --learners 500 --outage 600:60 --picture outage.svg`
    """
    for path in picture or ():
        if path.suffix not in {".svg", ".png"}:
            raise typer.BadParameter(f"{path} must end in .svg or .png", param_hint="--picture")
        output_path(path, "--picture")
    settings = load(config) if config != Path() else None
    scenario = Scenario(
        workload=WorkloadNumbers(
            topics=topics,
            topic_seconds=topic_seconds,
            heartbeat=_range(heartbeat, "--heartbeat", "10-30", least=0.1),
            bursts=tuple(map(_burst, burst or ())),
            seed=seed,
        ),
        weather=Weather(
            latency=_latency(_range(latency, "--latency", "0.1-2")),
            outages=_spans(outage, "--outage"),
            refusals=_spans(refusals, "--refusals"),
            competitor=_competitor(_range(competitor, "--competitor", "0-0.4", most=1.0)),
        ),
        limits=settings.platform.limits if settings else PlatformLimits(),
        delivery=settings.delivery if settings else Scenario().delivery,
        duration=minutes * 60,
    )
    scenarios = [("as it is", scenario), *(_changed(scenario, text) for text in what_if or ())]
    if trace:
        if settings is None:
            raise typer.BadParameter("needs --config, for the store", param_hint="--trace")
        submissions = _submissions(settings, trace)
        outcomes = [(name, simulate_trace(one, submissions)) for name, one in scenarios]
    else:
        counts = _counts(learners, "--learners")
        outcomes = [
            (_name(name, count, len(counts)), run(_with_learners(one, count)))
            for (name, one), count in product(scenarios, counts)
        ]
    reports = [report_of(name, outcome) for name, outcome in outcomes]
    if as_json:
        typer.echo(json.dumps([report.as_json() for report in reports], indent=2))
    else:
        print_table(_table(reports, outcomes), wide=wide)
    for path in picture or ():
        draw(outcomes, path)
        typer.echo(f"{path} is drawn.", err=True)


def _table(reports: Sequence[Report], outcomes: Sequence[tuple[str, Outcome]]) -> PlainTable:
    table = PlainTable(
        "what", "learners", "completions p50", "p95", "p99", "progress p50", "p99", "fresh",
        "requests/s", "naive/s", "quota", "429", "backlog",
    )  # fmt: skip
    for report, (_, outcome) in zip(reports, outcomes, strict=True):
        within = outcome.scenario.delivery.fresh_within_seconds
        table.add_row(
            report.name,
            f"{report.learners:,}",
            *(f"{value:.2f} s" for value in _parts(report)),
            f"{report.progress.p50:.1f} s",
            f"{report.progress.p99:.1f} s",
            "yes" if report.progress.p99 <= within else f"not within {within:g} s",
            f"{report.requests_per_second:.1f}",
            f"{report.naive_per_second:.1f}",
            f"{report.quota_used:.0%}",
            f"{report.throttled}",
            f"{report.backlog_last:,}",
        )
    return table


def _parts(report: Report) -> tuple[float, float, float]:
    return report.completions.p50, report.completions.p95, report.completions.p99


def _name(name: str, count: int, counts: int) -> str:
    return name if counts == 1 else f"{name}, {count:,} learners"


def _with_learners(scenario: Scenario, count: int) -> Scenario:
    return replace(scenario, workload=replace(scenario.workload, learners=count))


def _changed(scenario: Scenario, text: str) -> tuple[str, Scenario]:
    """A scenario with one setting of another value. Raises `BadParameter`."""
    name, equals, value = text.partition("=")
    limits, delivery = scenario.limits, scenario.delivery
    if equals and name in type(limits).model_fields:
        return text, replace(scenario, limits=_with(limits, name, value, text))
    if equals and name in type(delivery).model_fields:
        return text, replace(scenario, delivery=_with(delivery, name, value, text))
    known = [*type(scenario.limits).model_fields, *type(scenario.delivery).model_fields]
    form = f"SETTING=VALUE, such as share=0.5, where SETTING is one of {', '.join(known)}"
    raise _mistake(text, "--what-if", form)


def _with(settings: S, name: str, value: str, text: str) -> S:
    try:
        return type(settings).model_validate({**settings.model_dump(), name: value})
    except ValidationError as error:
        words = "; ".join(one["msg"] for one in error.errors())
        raise typer.BadParameter(f"{text}: {words}", param_hint="--what-if") from None


def _submissions(settings: Any, since: str) -> list[Submission]:
    # not before it is needed: the other commands need not load the whole daemon
    import asyncio  # noqa: PLC0415 - as above

    from pointsman.commands import stored_input  # noqa: PLC0415 - as above

    submissions = asyncio.run(stored_input(settings, since=parse_time(since)))
    if not submissions:
        raise typer.BadParameter(
            "the store has no statement since that a rule takes", param_hint="--trace"
        )
    return submissions


def _latency(bounds: tuple[float, float]) -> Callable[[float, random.Random], float]:
    return lambda _, chance: chance.uniform(*bounds)


def _competitor(bounds: tuple[float, float]) -> Callable[[random.Random], float]:
    return lambda chance: chance.uniform(*bounds)


def _spans(texts: Sequence[str] | None, option: str) -> tuple[Span, ...]:
    return tuple(_span(text, option) for text in texts or ())


def _span(text: str, option: str) -> Span:
    form = "AT:SECONDS, in seconds, such as 600:60 for a minute after ten"
    at, seconds = _numbers(text, ":", 2, option, form)
    if seconds <= 0:
        raise _mistake(text, option, form)
    return Span(at, at + seconds)


def _burst(text: str) -> Burst:
    form = "AT:SECONDS:FACTOR, such as 600:300:5 for five times as fast, for five minutes after ten"
    at, seconds, factor = _numbers(text, ":", 3, "--burst", form)
    if seconds <= 0 or factor <= 0:
        raise _mistake(text, "--burst", form)
    return Burst(at, seconds, factor)


def _range(
    text: str, option: str, example: str, *, least: float = 0.0, most: float = 3_600.0
) -> tuple[float, float]:
    form = f"a number from {least:g} to {most:g}, or two with a dash, such as {example}"
    count = 1 + text.count("-")
    numbers = _numbers(text, "-", min(count, 2), option, form)
    if not least <= numbers[0] <= numbers[-1] <= most:
        raise _mistake(text, option, form)
    return numbers[0], numbers[-1]


def _counts(text: str, option: str) -> list[int]:
    form = "a whole number from 1 on, or several with commas, such as 2000,5000,10000"
    numbers = _numbers(text, ",", text.count(",") + 1, option, form)
    if any(number < 1 or number != int(number) for number in numbers):
        raise _mistake(text, option, form)
    return [int(number) for number in numbers]


def _numbers(text: str, between: str, count: int, option: str, form: str) -> list[float]:
    """So many numbers, from 0 on. Raises `BadParameter`, which says what the form is."""
    try:
        numbers = [float(part) for part in text.split(between)]
    except ValueError:
        raise _mistake(text, option, form) from None
    if len(numbers) != count or not all(0 <= number < math.inf for number in numbers):
        raise _mistake(text, option, form)
    return numbers


def _mistake(text: str, option: str, form: str) -> typer.BadParameter:
    return typer.BadParameter(f"{text!r} is not {form}", param_hint=option)
