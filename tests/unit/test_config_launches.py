"""[launches]: what it needs, what it refuses, and how it is put into words."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from pointsman.cli import app
from pointsman.config import Settings, load
from pointsman.domain.errors import ConfigError
from pointsman.platforms.tokens.vault import new_key
from pointsman.wiring.sources import defining_sources

KEY = "signs-hunter2-what-browsers-hold-32"
CONFIG = """
[platform]
url = "https://learn.example.com"
api_key = "key-hunter2"
[[sources.http]]
name = "player"
credentials = [{{ bearer = "bearer-hunter2" }}]
[learners.tokens]
{tokens}
[launches]
public_url = "https://pointsman.example.com/in/"
operators = [{{ key = "page", secret = "secret-hunter2" }}]
{launches}
"""


def settings(tmp_path: Path, *, tokens: str | None = None, launches: str | None = None) -> Settings:
    path = tmp_path / "pointsman.toml"
    path.write_text(
        CONFIG.format(
            tokens=f'launches = true\nencryption_key = "{new_key()}"' if tokens is None else tokens,
            launches=f'signing_key = "{KEY}"' if launches is None else launches,
        )
    )
    return load(path)


def test_launches_have_defaults_that_a_day_of_learning_fits_in(tmp_path: Path) -> None:
    found = settings(tmp_path)
    assert found.launches is not None
    assert (found.launches.lifetime_hours, found.launches.max_lifetime_hours) == (8, 720)
    assert [key.get_secret_value() for key in found.launches.signing_keys] == [KEY]
    assert found.learners.tokens.kind == "launches"


def test_keys_that_were_changed_still_open(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("o" * 32 + "\n")
    found = settings(tmp_path, launches=f'signing_key = "{KEY}"\nold_signing_key_files = ["old"]')
    assert found.launches is not None
    assert [key.get_secret_value() for key in found.launches.signing_keys] == [KEY, "o" * 32]


@pytest.mark.parametrize(
    ("changed", "key", "words"),
    [
        ({"launches": ""}, "launches.signing_key", "give signing_key, or signing_key_file"),
        ({"launches": 'signing_key = "hunter2"'}, "launches.signing_key", "32 characters"),
        (
            {"launches": f'signing_key = "{KEY}"\nlifetime_hours = 48\nmax_lifetime_hours = 24'},
            "launches.max_lifetime_hours",
            "less than lifetime_hours, which is 48",
        ),
        ({"tokens": "launches = true"}, "launches", "learners.tokens.encryption_key"),
        (
            {"tokens": f'launches = true\ninline = {{}}\nencryption_key = "{new_key()}"'},
            "learners.tokens.service",
            "keep exactly one",
        ),
    ],
)
def test_a_mistake_is_named_with_its_key(
    tmp_path: Path, changed: dict[str, str], key: str, words: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        settings(tmp_path, **changed)
    _, line = str(caught.value).split("\n  ")
    assert line.startswith(key)
    assert words in line
    assert "hunter2" not in line


def test_tokens_of_launches_need_launches(tmp_path: Path) -> None:
    path = tmp_path / "pointsman.toml"
    text = CONFIG.format(tokens=f'launches = true\nencryption_key = "{new_key()}"', launches="")
    path.write_text(text.partition("[launches]")[0])
    with pytest.raises(ConfigError, match="launches: is missing"):
        load(path)


def test_launches_are_put_into_words(tmp_path: Path) -> None:
    settings(tmp_path)
    result = CliRunner().invoke(app, ["check", "--config", str(tmp_path / "pointsman.toml")])
    assert result.exit_code == 0
    assert (
        'Players are launched by POST https://pointsman.example.com/in/launches with the key "page"'
        in result.stdout
    )
    assert "authTokens come with launches alone, kept in the store, encrypted." in result.stdout
    assert "hunter2" not in result.stdout


def test_a_new_key_is_one_that_signs(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["launches", "new-key"])
    assert result.exit_code == 0
    assert settings(tmp_path, launches=f'signing_key = "{result.stdout.strip()}"').launches


def test_who_launches_players_needs_no_other_source(tmp_path: Path) -> None:
    settings(tmp_path)
    path = tmp_path / "pointsman.toml"
    before, _, rest = path.read_text().partition("[[sources.http]]")
    path.write_text(before + rest[rest.index("[learners.tokens]") :])
    assert load(path).sources.http == ()


def test_what_players_say_defines_nothing_by_whichever_way_it_comes(tmp_path: Path) -> None:
    settings(tmp_path)
    path = tmp_path / "pointsman.toml"
    path.write_text(
        path.read_text()
        + """
[[sources.http]]
name = "page"
credentials = [{ key = "in-a-page", secret = "a-secret-in-a-page-of-tests" }]
defines_activities = false
[[sources.kafka]]
name = "forwarded"
bootstrap_servers = ["kafka.example.com:9093"]
topics = ["other", "from-http"]
[[sources.kafka]]
name = "lessons"
bootstrap_servers = ["kafka.example.com:9093"]
topics = ["lessons"]
[http]
intake = "kafka"
kafka = { bootstrap_servers = ["kafka.example.com:9093"], topic = "from-http" }
"""
    )
    assert defining_sources(load(path)) == ["player", "lessons"]
