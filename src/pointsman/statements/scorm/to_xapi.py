"""Writes a commit as one xAPI statement about the launch's activity, by the launch's learner.

Pure. The words are xAPI's (ADL vocabulary) and cmi5's, so rules read it as they read any other.
"""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from pointsman.domain.launch import Launch, LaunchMode, launch_actor_json
from pointsman.domain.statement_ids import StatementIds
from pointsman.statements.left_out_readings import as_extension
from pointsman.statements.scorm.commit import Commit, CommitScore
from pointsman.statements.scorm.commit_order import digest
from pointsman.statements.scorm.durations import iso_duration
from pointsman.statements.scorm.mastery import judged_by_mastery

_NAMESPACE = uuid.UUID("6f0d3c62-52a5-4f0e-9a43-0a7a3f6f5a58")
_VERBS = "http://adlnet.gov/expapi/verbs/"
_PROGRESS = "https://w3id.org/xapi/cmi5/result/extensions/progress"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FULL = 100
#: as far as it gets that is not complete
_MAX_INCOMPLETE = 99


def commit_statement(
    commit: Commit, launch: Launch, at: int, ids: StatementIds, player: str = ""
) -> dict[str, Any]:
    """The statement of a commit that counts as of `at`, in microseconds since the epoch.

    The same commit has the same id whenever it comes again.
    """
    judged = judged_by_mastery(commit, launch.mastery_score)
    if launch.mode is not LaunchMode.NORMAL:
        # nothing of it counts, so nothing that was left out is missed
        judged = replace(judged, left_out=())
    name = f"{launch.registration} {player} {commit.sequence} {digest(commit)} {at}"
    verb = _verb(judged)
    statement: dict[str, Any] = {
        "id": ids.derive(_NAMESPACE, ascii(name)),
        "actor": launch_actor_json(launch),
        "verb": {"id": _VERBS + verb, "display": {"en": verb}},
        "object": {"objectType": "Activity", "id": launch.activity},
        "context": {"registration": launch.registration, "platform": f"SCORM {commit.version}"},
        "timestamp": (_EPOCH + timedelta(microseconds=at)).isoformat(timespec="microseconds"),
    }
    if result := _result(judged):
        statement["result"] = result
    return statement


def _verb(commit: Commit) -> str:
    if commit.success is not None:
        return "passed" if commit.success else "failed"
    if commit.completion:
        return "completed"
    if commit.progress is not None:
        return "progressed"
    if commit.final:
        return "suspended" if commit.exit == "suspend" else "terminated"
    return "experienced"


def _result(commit: Commit) -> dict[str, Any]:
    result: dict[str, Any] = {}
    if commit.completion is not None:
        result["completion"] = commit.completion
    if commit.success is not None:
        result["success"] = commit.success
    if commit.score is not None and (score := _score(commit.score)):
        result["score"] = score
    length = commit.session_time or commit.total_time
    if length:
        result["duration"] = iso_duration(length)
    extensions: dict[str, Any] = {**as_extension(commit.left_out)}
    progress = _progress(commit)
    if progress is not None:
        extensions[_PROGRESS] = progress
    if extensions:
        result["extensions"] = extensions
    return result


def _progress(commit: Commit) -> float | None:
    """A course that says it is not complete is not, however far it has come."""
    if commit.progress == _FULL and commit.completion is False:
        return _MAX_INCOMPLETE
    return commit.progress


def _score(score: CommitScore) -> dict[str, float]:
    """What keeps xAPI's rules of it (Part 2 section 2.4.5.1)."""
    kept = {} if score.scaled is None else {"scaled": score.scaled}
    if score.raw is None:
        return kept
    kept["raw"] = score.raw
    ordered = score.min is None or score.max is None or score.min < score.max
    if ordered and score.min is not None and score.min <= score.raw:
        kept["min"] = score.min
    if ordered and score.max is not None and score.raw <= score.max:
        kept["max"] = score.max
    return kept
