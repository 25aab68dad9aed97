"""Turns [[rules]] and [[learners.accounts]] into the mapping."""

from __future__ import annotations

from collections.abc import Sequence

from pointsman.config import Settings
from pointsman.config.rules import RuleSettings
from pointsman.domain.clock import micros
from pointsman.domain.target_kinds import NAMING_SETTINGS
from pointsman.mapping import (
    AccountTemplate,
    ConfiguredIdentity,
    CourseCompleted,
    CourseName,
    Mapper,
    MoveOn,
    Rule,
    Template,
)
from pointsman.privacy.identity_rules import IdentityRules


def mapping(settings: Settings) -> Mapper:
    return Mapper(rules(settings), identity(settings))


def rules(settings: Settings) -> list[Rule]:
    """[[rules]], in order."""
    return [rule(one, settings.delivery.fresh_within_seconds) for one in settings.rules]


def identity(settings: Settings) -> ConfiguredIdentity:
    """Who an actor is, by [learners]."""
    return ConfiguredIdentity(_accounts(settings))


def identity_rules(settings: Settings) -> IdentityRules:
    """Who is one person, for forgetting and handing out."""
    return IdentityRules(identity(settings), _accounts(settings), settings.platform.origin)


def _accounts(settings: Settings) -> list[AccountTemplate]:
    return [
        AccountTemplate(account.home_page, Template(account.learner))
        for account in settings.learners.accounts
    ]


def rule(settings: RuleSettings, fresh_within_seconds: float) -> Rule:
    """A rule; its progress may wait so long where it does not say otherwise."""
    fresh_within = micros(settings.fresh_within_seconds or fresh_within_seconds)
    course = None
    if settings.course is not None:
        by, text = settings.course
        course = CourseName(by, Template(text))
    return Rule(
        name=settings.name,
        activity=Template(settings.activity),
        verbs=_words(settings.verbs),
        activity_types=_words(settings.activity_types),
        topic_id=_template(settings.topic_id),
        course=course,
        audit_course_id=_template(settings.audit_course_id),
        names={
            name: Template(text)
            for name in NAMING_SETTINGS
            if (text := getattr(settings, name)) is not None
        },
        course_started=settings.course_started,
        course_completed=CourseCompleted(settings.course_completed),
        course_parts=settings.course_parts,
        move_on=None if settings.move_on is None else MoveOn(settings.move_on),
        slides=settings.slides,
        score_is_progress=settings.score_is_progress,
        falls=settings.falls,
        fresh_within=fresh_within,
        deadline=0 if settings.due is None else micros(settings.due.timestamp()),
    )


def _words(words: Sequence[str] | None) -> frozenset[str] | None:
    return None if words is None else frozenset(words)


def _template(text: str | None) -> Template | None:
    return None if text is None else Template(text)
