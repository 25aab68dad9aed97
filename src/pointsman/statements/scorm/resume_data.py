"""Collects what a SCORM player starts with: the learner, the launch, what to resume. Pure.

SCORM 1.2 RTE section 3.4.4 and SCORM 2004 4th RTE section 4.2 name who sets what: this is the
LMS's part, in words that both versions share.
"""

from __future__ import annotations

from typing import Any

from pointsman.domain.iri import mailbox_address
from pointsman.domain.launch import Launch, LaunchMode
from pointsman.statements.scorm.commit_order import ScormSession


def starting_data(launch: Launch, session: ScormSession) -> dict[str, Any]:
    """`cmi` is that of the newest commit as it came, so its own entry is the last one's."""
    actor = launch.actor
    learner = mailbox_address(actor.value) if actor.kind == "mbox" else actor.value
    return {
        "registration": launch.registration,
        "activity": launch.activity,
        "version": session.version,
        "cmi": session.cmi or None,
        "entry": "resume" if session.cmi else "ab-initio",
        "learner": {"id": learner, "name": launch.name or learner},
        "mode": launch.mode.value.lower(),
        "credit": "credit" if launch.mode is LaunchMode.NORMAL else "no-credit",
        "masteryScore": launch.mastery_score,
        "launchData": _launch_data(launch),
    }


def _launch_data(launch: Launch) -> str:
    parameters = launch.player.get("launchParameters")
    return parameters if isinstance(parameters, str) else ""
