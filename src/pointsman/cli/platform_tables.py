"""The platform's answers as tables for people. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group
from rich.text import Text

from pointsman.cli.output import PlainTable
from pointsman.platforms.helium import selections

Shown = PlainTable | Group | Text


def learning_path(path: selections.LearningPath) -> Shown:
    facts = _facts(
        {
            "id": path.id,
            "slug": path.slug,
            "status": path.status,
            "language": path.language,
            "prices": ", ".join(f"{_money(price)}" for price in path.prices) or None,
            "tags": ", ".join(tag.label or tag.id for tag in path.tags or () if tag) or None,
            "availability": path.availability_status,
            "created": path.created_at,
            "updated": path.updated_at,
            "started by the learner": path.current_user_start_action_date,
            "certificate": _certificate(path),
        },
        title=path.name,
    )
    milestones = PlainTable("milestone", "id", "kind", "requirement", "released", "completed by")
    for milestone in path.milestones or ():
        if milestone is not None:
            milestones.add_row(
                milestone.name,
                milestone.id,
                milestone.kind,
                milestone.requirement,
                milestone.release_date or "",
                milestone.completion_criteria_description or "",
            )
    return Group(facts, milestones)


def created_path(path: selections.CreatedLearningPath) -> Shown:
    milestones = PlainTable("milestone", "id", "requirement", "courses", title=path.name)
    for milestone in path.milestones or ():
        if milestone is not None:
            titles = ", ".join(course.content_title for course in milestone.milestone_courses or ())
            milestones.add_row(milestone.name, milestone.id, milestone.requirement, titles)
    words = f"made as a {path.status}: {path.slug} ({path.id}); publish it on the platform"
    return Group(milestones, Text(words))


def milestone(milestone: selections.Milestone) -> Shown:
    facts = _facts(
        {
            "id": milestone.id,
            "learning path": f"{milestone.learning_path.name} ({milestone.learning_path.slug})",
            "kind": milestone.kind,
            "requirement": milestone.requirement,
            "released": milestone.release_date
            or (
                f"{milestone.release_days} days after enrolment" if milestone.release_days else None
            ),
            "completed by": milestone.completion_criteria_description,
            "criteria": ", ".join(
                f"{criterion.threshold} of {criterion.type}"
                for criterion in milestone.completion_criteria or ()
            )
            or None,
        },
        title=milestone.name,
    )
    courses = PlainTable("course", "id", "requirement", "grouping")
    for course in milestone.milestone_courses or ():
        courses.add_row(
            course.content_title, course.content_id, course.requirement, course.content_grouping
        )
    return Group(facts, courses)


def completions(done: Sequence[selections.MilestoneCompletion]) -> Shown:
    table = PlainTable("milestone", "id", "when", "by")
    for action in done:
        milestone = action.milestone
        table.add_row(
            milestone.name if milestone else "",
            milestone.id if milestone else "",
            action.timestamp or "",
            action.source or "",
        )
    return table if done else Text("No milestone is completed.")


def course_progress(progress: selections.CourseProgress) -> Shown:
    return _facts(
        {
            "complete": f"{progress.percent_complete} %",
            "views": progress.total_views,
            "seconds spent": progress.total_time,
        }
    )


def pages(done: Sequence[selections.Page]) -> Shown:
    table = PlainTable("page", "id", "type", "lesson")
    for page in done:
        table.add_row(page.title or "", page.id, page.type, page.lesson_id)
    return table if done else Text("No page is completed.")


def criteria(progress: Sequence[selections.CriterionProgress]) -> Shown:
    table = PlainTable("criterion", "%", "completed", "of")
    for criterion in progress:
        done = ", ".join(name for name in criterion.completed or () if name)
        of = ", ".join(name for name in criterion.required or () if name)
        table.add_row(criterion.type or "", str(criterion.percent), done, of)
    return table if progress else Text("The course has no completion criteria.")


def budget(shown: Mapping[str, Mapping[str, Any]]) -> Shown:
    platform, ours = shown["platform"], shown["ours"]
    table = PlainTable("", "points", "requests")
    table.add_row("left on the platform", _number(platform["points_left"]), "not in the answer")
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


def _facts(facts: Mapping[str, object | None], title: str | None = None) -> PlainTable:
    table = PlainTable(title=title, show_header=False)
    for name, value in facts.items():
        if value is not None:
            table.add_row(name, str(value))
    return table


def _money(price: selections.Price) -> str:
    amount = "?" if price.unit_amount is None else f"{price.unit_amount / 100:,.2f}"
    return f"{amount} {price.currency_code}"


def _certificate(path: selections.LearningPath) -> str | None:
    if path.current_user_earned_certificate:
        return "earned"
    return "pending" if path.current_user_pending_certificate else None


def _number(value: int | None) -> str:
    return "not in the answer" if value is None else f"{value:,}"
