"""Judges a commit by its launch's mastery score, as an LMS has to, whatever the course says. Pure.

A player page may do it too (scorm-again does in SCORM 1.2 with `mastery_override` only), and nobody
can tell whether it did.
"""

from __future__ import annotations

from dataclasses import replace

from pointsman.statements.scorm.commit import Commit


def judged_by_mastery(commit: Commit, mastery_score: float | None) -> Commit:
    """`mastery_score` is the launch's, scaled, 0..1; without it the one that the page gave counts.

    The commit itself where there is nothing to judge.

    SCORM 1.2 RTE section 3.4.4 (lesson_status, mastery_score): with a mastery score and a raw score
    the LMS makes what is done `passed` or `failed`. SCORM 2004 4th RTE section 4.2.22
    (success_status): with a scaled passing score and a scaled score the LMS says the success.
    Nobody has failed who is still at it.
    """
    if mastery_score is None:
        mastery_score = commit.mastery_score
    if mastery_score is None or commit.score is None or commit.score.scaled is None:
        return commit
    # 0.7 + 0.1 is 0.7999999999999999 in JavaScript, and 0.8 was meant
    passed = round(commit.score.scaled, 12) >= mastery_score
    is_done = commit.completion is True or commit.success is not None
    if commit.version == "2004":
        return replace(commit, success=passed) if passed or is_done or commit.final else commit
    return replace(commit, completion=passed, success=passed) if is_done else commit
