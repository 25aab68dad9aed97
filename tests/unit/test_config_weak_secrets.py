"""Placeholders and what is easy to guess are mistakes, at their keys and without being repeated."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from pointsman.config import load
from pointsman.domain.errors import ConfigError
from pointsman.secret_strength import must_be_strong

CONFIG = """
{first}
[platform]
url = "https://learn.example.com"
api_key = "the-platform-makes-this-one"
[learners.tokens]
launches = true
encryption_key = "cG9pbnRzbWFuJ3MgdGVzdHMgaGF2ZSAzMiBieXRlcyE="
[launches]
public_url = "https://lrs.example.com"
operators = [{{ key = "page", secret = "{operator}" }}]
signing_key = "{signing}"
[[sources.http]]
name = "player"
credentials = [{{ key = "player", secret = "{player}" }}, {{ bearer = "{bearer}" }}]
[[sources.webhooks]]
name = "lms"
secret = "{webhook}"
signature = {{ header = "X-Signature" }}
learner = "user"
activity = "https://lms.example.com/{{course}}"
[[sources.scorm_cloud]]
name = "cloud"
username = "cloud"
password = "{cloud}"
"""
KEYS = {
    "operator": "launches.operators[0].secret",
    "signing": "launches.signing_key",
    "player": "sources.http[0].credentials[0].secret",
    "bearer": "sources.http[0].credentials[1].bearer",
    "webhook": "sources.webhooks[0].secret",
    "cloud": "sources.scorm_cloud[0].password",
}
WEAK = [
    *("secret", "player-secret", "changeme", "replace-me", "<your-secret>", "your-secret-here"),
    *("hunter2", "0123456789abcdef0123456789abcdef", "x" * 40, "qwertyuiop", "Password123!"),
    *("TODO", "operator-secret", "2026-11-29", "admin"),
]


@pytest.fixture(autouse=True)
def _strict(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("POINTSMAN_ALLOW_WEAK_SECRETS")


def written(folder: Path, first: str = "", **given: str) -> Path:
    path = folder / "pointsman.toml"
    values = {name: secrets.token_urlsafe(24) for name in KEYS}
    path.write_text(CONFIG.format(first=first, **(values | given)))
    return path


@pytest.mark.parametrize("weak", WEAK)
def test_what_is_easy_to_guess_is_weak(weak: str) -> None:
    with pytest.raises(ValueError, match="new-key") as caught:
        must_be_strong(weak)
    assert weak not in str(caught.value).replace("allow_weak_secrets", "")


@pytest.mark.parametrize("size", [12, 16, 32, 64])
def test_what_is_made_at_random_is_not(size: int) -> None:
    for _ in range(20):
        must_be_strong(secrets.token_hex(size))
        must_be_strong(secrets.token_urlsafe(size))


def test_each_weak_secret_is_named_at_its_key(tmp_path: Path) -> None:
    weak = dict.fromkeys(KEYS, "changeme-changeme-changeme-changeme")
    with pytest.raises(ConfigError) as caught:
        load(written(tmp_path, **weak))
    message = str(caught.value)
    assert "6 mistakes" in message
    for key in KEYS.values():
        assert key in message
    assert "changeme" not in message


def test_strong_secrets_are_no_mistake_and_the_platforms_key_is_its_own(tmp_path: Path) -> None:
    assert load(written(tmp_path)).allow_weak_secrets is False


def test_tests_and_demos_may_allow_them(tmp_path: Path) -> None:
    path = written(tmp_path, "allow_weak_secrets = true", player="secret")
    assert load(path).allow_weak_secrets


def test_a_weak_secret_in_a_file_is_refused_then_and_when_the_file_changes(tmp_path: Path) -> None:
    path = written(tmp_path)
    path.write_text(path.read_text().replace("bearer = ", "bearer_file = "))
    text = path.read_text()
    name = text.partition('bearer_file = "')[2].partition('"')[0]
    file = tmp_path / name
    file.write_text("changeme")
    with pytest.raises(ConfigError, match="placeholder or easy to guess"):
        load(path)
    strong = secrets.token_urlsafe(24)
    file.write_text(strong)
    bearer = load(path).sources.http[0].credentials[1].bearer
    assert bearer is not None
    file.write_text("changeme")
    bearer._look_again = 0  # type: ignore[attr-defined]  # a second later
    assert bearer.get_secret_value() == strong
