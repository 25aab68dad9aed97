"""What the sources that send no statements mean, in plain words. Pure functions."""

from __future__ import annotations

from pointsman.config.scorm_cloud import ScormCloudSource
from pointsman.config.webhooks import WebhookSource


def postbacks(source: ScormCloudSource) -> str:
    learner = (
        "the learner is the e-mail address where there is one, else the id"
        if source.learner == "email"
        else "the learner is the id"
    )
    return (
        f"{source.name} posts registrations of SCORM Cloud to /scorm-cloud/postback as the user "
        f'"{source.username}": a course is the activity {source.course_activity}, a SCO '
        f"{source.sco_activity}; {learner}; what is no address is an account of "
        f"{source.home_page}."
    )


def webhook(source: WebhookSource) -> str:
    return (
        f"{source.name} posts JSON to /webhooks/{source.name}, {_signed(source)}: {_read(source)}; "
        f"a learner who is no address is an account of {source.account_home_page}."
    )


def _signed(source: WebhookSource) -> str:
    secrets = len(source.keys)
    known = "" if secrets == 1 else f" with any of {secrets} secrets"
    within = f", within {source.tolerance_seconds:g} s of this clock"
    if source.signature is None:
        return f"signed as Standard Webhooks say{known}{within}"
    window = within if source.signature.timestamp_header is not None else ", whenever it was sent"
    return f"signed in {source.signature.header}{known}{window}"


def _read(source: WebhookSource) -> str:
    each = "" if source.items is None else f"for each of {source.items}, "
    parts = [f"{each}the learner is {source.learner}", f"the activity {source.activity}"]
    if source.progress is not None:
        parts.append(f"progress {source.progress} of {source.progress_scale}")
    if source.completed is not None:
        parts.append(f"completed {source.completed}{_words(source.completed_values)}")
    if source.passed is not None:
        parts.append(f"passed {source.passed}{_words(source.passed_values)}")
    if source.score is not None:
        parts.append(f"the score {source.score} of {source.score_scale}")
    parts.append("the time that of arrival" if source.time is None else f"the time {source.time}")
    if source.registration is not None:
        parts.append(f"the attempt {source.registration}")
    if source.id is not None:
        parts.append(f"the same again when {source.id} is")
    return ", ".join(parts)


def _words(values: tuple[str, ...]) -> str:
    return f" when it is {' or '.join(values)}" if values else ""
