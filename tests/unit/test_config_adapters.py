"""[[sources.scorm_cloud]] and [[sources.webhooks]]: defaults, mistakes, and what they become."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pointsman.config import load
from pointsman.sources.http.webhook_signatures import STANDARD, SignatureScheme
from pointsman.wiring.adapters import webhook_sources
from tests.support.statement_ids import IDS
from tests.unit.test_config_mistakes import GOOD, SECRET, refusal, toml

STANDARD_SECRET = "whsec_aHVudGVyMg=="
SCORM: dict[str, Any] = {"name": "scorm", "username": "u", "password": SECRET}
WEBHOOK: dict[str, Any] = {
    "name": "lms",
    "secret": SECRET,
    "signature": {},
    "learner": "user.email",
    "activity": "https://lms.example.com/{course}",
}
UNSIGNED = {key: value for key, value in WEBHOOK.items() if key != "signature"}


def settings(tmp_path: Path, **sources: Any) -> Any:
    path = tmp_path / "pointsman.toml"
    whole = {**GOOD, "sources": sources}
    path.write_text("\n".join(f"{key} = {toml(item)}" for key, item in whole.items()))
    return load(path)


def test_a_postback_source_needs_no_more_than_its_credentials(tmp_path: Path) -> None:
    [source] = settings(tmp_path, scorm_cloud=[SCORM]).sources.scorm_cloud
    assert (source.course_activity, source.sco_activity, source.learner, source.home_page) == (
        "https://cloud.scorm.com/{course}",
        "https://cloud.scorm.com/{course}/{sco}",
        "email",
        "https://cloud.scorm.com",
    )


def test_a_webhook_needs_a_secret_a_scheme_a_learner_and_an_activity(tmp_path: Path) -> None:
    [source] = webhook_sources(settings(tmp_path, webhooks=[WEBHOOK]).sources, IDS)
    assert source.verifier.schemes == (SignatureScheme("X-Signature"),)
    assert source.verifier.keys() == (SECRET.encode(),)
    assert source.verifier.tolerance == 300
    assert source.adapter.home_page == "https://webhooks.invalid/lms"
    assert SECRET not in repr(source)


def test_old_secrets_go_on_opening_what_they_signed(tmp_path: Path) -> None:
    (tmp_path / "new").write_text(STANDARD_SECRET + "\n")
    (tmp_path / "old").write_text("b2xk\n")  # without whsec_
    webhook = {
        **{key: value for key, value in UNSIGNED.items() if key != "secret"},
        "standard": True,
        "secret_file": "new",
        "old_secret_files": ["old"],
    }
    [source] = webhook_sources(settings(tmp_path, webhooks=[webhook]).sources, IDS)
    assert source.verifier.schemes == STANDARD
    assert source.verifier.keys() == (b"hunter2", b"old")


@pytest.mark.parametrize(
    ("changes", "key", "allowed"),
    [
        ({"name": "LMS"}, "sources.webhooks[0].name", "1-64 characters"),
        ({"secret": ""}, "sources.webhooks[0].secret", "give secret, or secret_file"),
        ({"signature": {"header": "a b"}}, "signature.header", "must be the name of a header"),
        ({"signature": {"format": "md5"}}, "signature.format", "must be 'hex' or 'base64'"),
        (
            {"standard": True, "secret": STANDARD_SECRET},
            "sources.webhooks[0].signature",
            "are both given",
        ),
        ({"tolerance_seconds": 0}, "tolerance_seconds", "must be a number above 0"),
        ({"learner": "user..email"}, "learner", "is no path at character 5"),
        ({"learner": "{user}"}, "learner", "is no path at character 1"),
        ({"activity": "https://x/{course"}, "activity", "a brace without its partner"),
        ({"activity": "https://x/{a b}"}, "activity", "is no path at character 2"),
        ({"activity": "{course}"}, "activity", "must start with a scheme"),
        ({"activity": "course id"}, "activity", "is no path at character 7"),
        ({"progress": "a[x]"}, "progress", "[n] is the n-th of a list"),
        ({"progress_scale": 10}, "progress_scale", "must be 1 or 100"),
        ({"completed_values": ["done"]}, "completed_values", "is of no use without completed"),
        ({"event_values": ["done"]}, "event_values", "is of no use without event"),
        ({"event": "type"}, "event_values", "must name what event has in reports"),
        ({"passed_values": ["A"]}, "passed_values", "is of no use without passed"),
        ({"home_page": "lms"}, "home_page", "must be an http:// or https:// URL"),
        ({"old_secret_files": ["nowhere"]}, "old_secret_files", "can't be read"),
        ({"lerner": "x"}, "lerner", "did you mean learner?"),
    ],
)
def test_a_mistake_in_a_webhook_is_named(
    tmp_path: Path, changes: dict[str, Any], key: str, allowed: str
) -> None:
    [line] = refusal(tmp_path, sources={"webhooks": [{**WEBHOOK, **changes}]})
    where, _, what = line.partition(": ")
    assert key in where
    assert allowed in what


@pytest.mark.parametrize(
    ("changes", "key", "allowed"),
    [
        ({"username": "a:b"}, "username", "must not hold a colon"),
        ({"username": ""}, "username", "must not be empty"),
        ({"password": ""}, "password", "give password, or password_file"),
        ({"course_activity": "{course}"}, "course_activity", "must start with a scheme"),
        ({"course_activity": "https://x/"}, "course_activity", "must contain {course}"),
        ({"sco_activity": "https://x/{sco}"}, "sco_activity", "must contain {course} and {sco}"),
        ({"sco_activity": "https://x/{course}/{sco}/{x}"}, "sco_activity", "no other variable"),
        ({"learner": "name"}, "learner", "must be 'email' or 'id'"),
        ({"home_page": "cloud"}, "home_page", "must be an http:// or https:// URL"),
    ],
)
def test_a_mistake_in_a_postback_source_is_named(
    tmp_path: Path, changes: dict[str, Any], key: str, allowed: str
) -> None:
    [line] = refusal(tmp_path, sources={"scorm_cloud": [{**SCORM, **changes}]})
    where, _, what = line.partition(": ")
    assert key in where
    assert allowed in what


def test_a_secret_of_standard_webhooks_is_base64(tmp_path: Path) -> None:
    [line] = refusal(tmp_path, sources={"webhooks": [{**UNSIGNED, "standard": True}]})
    assert "sources.webhooks[0].secret" in line
    assert "must be whsec_ and base64" in line
    (tmp_path / "old").write_text(SECRET)
    old = {**UNSIGNED, "standard": True, "secret": STANDARD_SECRET, "old_secret_files": ["old"]}
    [line] = refusal(tmp_path, sources={"webhooks": [old]})
    assert f"{tmp_path / 'old'}: must be whsec_ and base64" in line


def test_a_scheme_is_needed(tmp_path: Path) -> None:
    [line] = refusal(tmp_path, sources={"webhooks": [UNSIGNED]})
    assert "signature" in line
    assert "or standard = true" in line


def test_sources_of_all_kinds_have_names_of_their_own(tmp_path: Path) -> None:
    sources = {"scorm_cloud": [SCORM], "webhooks": [{**WEBHOOK, "name": "scorm"}]}
    [line] = refusal(tmp_path, sources=sources)
    assert "sources.webhooks: and sources.scorm_cloud have the name 'scorm' twice" in line


def test_applications_are_told_apart_by_their_user_names(tmp_path: Path) -> None:
    [line] = refusal(tmp_path, sources={"scorm_cloud": [SCORM, {**SCORM, "name": "other"}]})
    assert "has the username 'u' twice" in line
