"""The platform's answers as tables for people. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from pointsman.platforms.helium import results

Shown = Table | Group | Text


def learning_path(path: results.LearningPath) -> Shown:
    facts = _facts(
        {
            "id": path.id,
            "slug": path.slug,
            "status": path.status,
            "language": path.language,
            "prices": ", ".join(f"{_money(one)}" for one in path.prices) or None,
            "tags": ", ".join(tag.label or tag.id for tag in path.tags or () if tag) or None,
            "availability": path.availability_status,
            "created": path.created_at,
            "updated": path.updated_at,
            "started by the learner": path.current_user_start_action_date,
            "certificate": _certificate(path),
        },
        title=path.name,
    )
    stones = Table("milestone", "id", "kind", "requirement", "released", "completed by")
    for stone in path.milestones or ():
        if stone is not None:
            stones.add_row(
                stone.name,
                stone.id,
                stone.kind,
                stone.requirement,
                stone.release_date or "",
                stone.completion_criteria_description or "",
            )
    return Group(facts, stones)


def created_path(path: results.CreatedLearningPath) -> Shown:
    stones = Table("milestone", "id", "requirement", "courses", title=path.name)
    for stone in path.milestones or ():
        if stone is not None:
            titles = ", ".join(one.content_title for one in stone.milestone_courses or ())
            stones.add_row(stone.name, stone.id, stone.requirement, titles)
    words = f"made as a {path.status}: {path.slug} ({path.id}); publish it on the platform"
    return Group(stones, Text(words))


def milestone(stone: results.Milestone) -> Shown:
    facts = _facts(
        {
            "id": stone.id,
            "learning path": f"{stone.learning_path.name} ({stone.learning_path.slug})",
            "kind": stone.kind,
            "requirement": stone.requirement,
            "released": stone.release_date
            or (f"{stone.release_days} days after enrolment" if stone.release_days else None),
            "completed by": stone.completion_criteria_description,
            "criteria": ", ".join(
                f"{one.threshold} of {one.type}" for one in stone.completion_criteria or ()
            )
            or None,
        },
        title=stone.name,
    )
    courses = Table("course", "id", "requirement", "grouping")
    for one in stone.milestone_courses or ():
        courses.add_row(one.content_title, one.content_id, one.requirement, one.content_grouping)
    return Group(facts, courses)


def completions(done: Sequence[results.MilestoneCompletion]) -> Shown:
    table = Table("milestone", "id", "when", "by")
    for one in done:
        stone = one.milestone
        table.add_row(
            stone.name if stone else "",
            stone.id if stone else "",
            one.timestamp or "",
            one.source or "",
        )
    return table if done else Text("No milestone is completed.")


def course_progress(progress: results.CourseProgress) -> Shown:
    return _facts(
        {
            "complete": f"{progress.percent_complete} %",
            "views": progress.total_views,
            "seconds spent": progress.total_time,
        }
    )


def pages(done: Sequence[results.Page]) -> Shown:
    table = Table("page", "id", "type", "lesson")
    for page in done:
        table.add_row(page.title or "", page.id, page.type, page.lesson_id)
    return table if done else Text("No page is completed.")


def criteria(found: Sequence[results.CriterionProgress]) -> Shown:
    table = Table("criterion", "%", "completed", "of")
    for one in found:
        done = ", ".join(name for name in one.completed or () if name)
        of = ", ".join(name for name in one.required or () if name)
        table.add_row(one.type or "", str(one.percent), done, of)
    return table if found else Text("The course has no completion criteria.")


def budget(shown: Mapping[str, Mapping[str, Any]]) -> Shown:
    platform, ours = shown["platform"], shown["ours"]
    table = Table("", "points", "requests")
    table.add_row("left on the platform", _number(platform["points_left"]), "not told")
    table.add_row(
        "set aside by the daemon",
        _number(ours["points_set_aside"]),
        _number(ours["requests_set_aside"]),
    )
    table.add_row(
        "ours a minute, at most",
        _number(ours["points_a_minute"]),
        _number(ours["requests_a_minute"]),
    )
    seconds = platform["resets_in_seconds"]
    words = "The platform does not say when the window ends."
    if seconds is not None:
        words = f"The window ends in {seconds:.0f} s."
    return Group(table, Text(words))


def _facts(facts: Mapping[str, object | None], title: str | None = None) -> Table:
    table = Table(title=title, show_header=False)
    for name, value in facts.items():
        if value is not None:
            table.add_row(name, str(value))
    return table


def _money(price: results.Price) -> str:
    amount = "?" if price.unit_amount is None else f"{price.unit_amount / 100:,.2f}"
    return f"{amount} {price.currency_code}"


def _certificate(path: results.LearningPath) -> str | None:
    if path.current_user_earned_certificate:
        return "earned"
    return "pending" if path.current_user_pending_certificate else None


def _number(value: int | None) -> str:
    return "not told" if value is None else f"{value:,}"
