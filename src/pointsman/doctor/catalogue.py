"""Judges whether the platform has what the rules name, by a few cheap questions. Pure.

A rule names a course by a constant, or by a template that activities fill. The first is asked of
the platform; of the second what the store has seen. No operation lists a course's topics, so of
topics only this is known: a criterion of its course requires it, or the platform refused it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pointsman.doctor.findings import Finding, NotChecked, Result, fail, ok
from pointsman.domain.desired_state import Desired
from pointsman.domain.targets import ReadBackKind, ReadBackPlace, TargetKind
from pointsman.platforms.base import RequestOutcome
from pointsman.platforms.examiner import LookUp

#: courses and paths that are asked for, each: a few points
MOST_ASKED = 3
CHECK = "rules"
_TOKEN = "learner's token"  # noqa: S105 - a check's name


@dataclass(frozen=True, slots=True)
class RuleNames:
    """What one rule calls a course, a path and a topic, as the templates that they are."""

    rule: str
    course_setting: str = ""
    course: str = ""
    #: the course's id, where it goes by another name
    read_back: str = ""
    path: str = ""
    topic: str = ""

    def places(self) -> Iterator[ReadBackPlace]:
        """What it names by constants."""
        if is_constant(self.read_back):
            yield ReadBackPlace.course(self.read_back)
        if is_constant(self.path):
            yield ReadBackPlace.path(self.path)


def is_constant(template: str) -> bool:
    """Whether it names one thing, whatever the activity."""
    return bool(template) and "{" not in template


def to_ask(rules: Sequence[RuleNames], seen: Collection[ReadBackPlace]) -> list[ReadBackPlace]:
    """Constants first, then what was delivered lately; a few of each kind."""
    wanted = dict.fromkeys([*(place for rule in rules for place in rule.places()), *seen])
    return [
        place
        for kind in ReadBackKind
        for place in [place for place in wanted if place.kind is kind][:MOST_ASKED]
    ]


def judge_token(learner: str, look_up: LookUp) -> Result:
    """Whether the platform took the learner's token."""
    answer = look_up.answer
    if answer.outcome is RequestOutcome.TOKEN_REFUSED or any(
        result.token_refused for result in answer.results
    ):
        words = next((row.message for row in answer.results if row.message), answer.message)
        return fail(
            _TOKEN,
            f"the platform refuses the authToken of {learner}: {words}",
            f"bring a new one: pointsman platform login {learner} --save-to FILE on a sandbox, a "
            "new launch, or what learners.tokens names (docs/tokens.md)",
        )
    if answer.outcome is RequestOutcome.ANSWERED:
        return ok(_TOKEN, f"the platform takes the authToken of {learner}")
    return NotChecked(_TOKEN, answer.message or "the platform gave no answer")


def judge_rules(
    rules: Sequence[RuleNames],
    asked: Sequence[ReadBackPlace],
    look_up: LookUp | None,
    refused: Sequence[Desired],
) -> Iterator[Result]:
    """`asked` is what `look_up` is about; `refused` is parked because the platform has it not."""
    missing = {} if look_up is None else look_up.missing
    problems = [
        *(_missing(place, words, rules) for place, words in missing.items()),
        *_refused(refused, missing),
    ]
    yield from problems
    present = [place for place in asked if place not in missing]
    if look_up is not None and present:
        yield ok(CHECK, f"the platform has {', '.join(map(str, present))}")
    yield from _unanswered(rules, asked if look_up is not None else (), look_up)


def _missing(place: ReadBackPlace, words: str, rules: Sequence[RuleNames]) -> Finding:
    naming = [rule.rule for rule in rules if place in list(rule.places())]
    what = "course" if place.kind is ReadBackKind.COURSE else "learning path"
    return fail(
        CHECK,
        f"there is no {what} {place.key!r} on the platform: {words}",
        f"correct {_setting(place)} of {_named(naming)}, or make the {what} there",
    )


def _setting(place: ReadBackPlace) -> str:
    is_course = place.kind is ReadBackKind.COURSE
    return "course_id or audit_course_id" if is_course else "learning_path_slug"


def _named(rules: Sequence[str]) -> str:
    return f"the rule {', '.join(map(repr, rules))}" if rules else "the rule that names it"


def _refused(refused: Sequence[Desired], missing: Mapping[ReadBackPlace, str]) -> Iterator[Finding]:
    """One line for each target that the platform said it has not, whoever it was for."""
    named: set[tuple[TargetKind, str]] = set()
    known = {place.key for place in missing}
    for state in refused:
        kind, key = state.target.kind, state.target.key
        if (kind, key) in named or key.removeprefix("id:") in known:
            continue
        named.add((kind, key))
        what = kind.value.replace("_", " ")
        yield fail(
            CHECK,
            f"the platform refused {what} {key!r}: {state.parked}",
            f"correct the rule {state.rule!r}, or make it there; then `pointsman parked retry "
            "--reason 'refused: NOT_FOUND'`",
        )


def _unanswered(
    rules: Sequence[RuleNames], asked: Collection[ReadBackPlace], look_up: LookUp | None
) -> Iterator[NotChecked]:
    """What nobody could say of each rule, and why."""
    topics = {} if look_up is None else look_up.topics
    for rule in rules:
        if rule.course and not rule.read_back:
            why = f"{rule.course_setting} can't be asked for without audit_course_id"
        elif rule.read_back and not is_constant(rule.read_back) and not _has(asked, "course"):
            why = "its courses are made of activities, and none was delivered yet"
        elif is_constant(rule.topic) and rule.topic not in topics.get(rule.read_back, ()):
            why = f"no operation lists topics, so the first delivery tells whether {rule.topic} is"
            if known := topics.get(rule.read_back):
                why += f" there; criteria of the course name {', '.join(sorted(known)[:5])}"
            else:
                why += " there"
        else:
            continue
        yield NotChecked(f"{CHECK}: {rule.rule}", why)


def _has(asked: Collection[ReadBackPlace], kind: str) -> bool:
    return any(place.kind.value == kind for place in asked)
