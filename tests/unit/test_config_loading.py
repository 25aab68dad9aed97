"""Where settings come from: the file, secrets' files, the environment, and which of them wins."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from pointsman.config import Settings, load
from pointsman.domain.errors import ConfigError
from pointsman.platforms.tokens.vault import new_key
from pointsman.setting_types import Section

ROOT = Path(__file__).parents[2]

MINIMAL = """
[platform]
url = "https://learn.example.com"
api_key = "platform-key"
[[sources.http]]
name = "player"
credentials = [{ key = "player", secret = "player-secret" }]
[learners.tokens]
inline = { "ana@example.com" = "ana-token" }
"""


def config(tmp_path: Path, text: str = MINIMAL) -> Path:
    path = tmp_path / "pointsman.toml"
    path.write_text(text)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert caught.value.__cause__ is None
    return str(caught.value)


def test_the_least_that_is_needed_is_a_platform_a_source_and_tokens(tmp_path: Path) -> None:
    settings = load(config(tmp_path))

    assert settings.platform.api_key.get_secret_value() == "platform-key"
    assert settings.http.port == 8080
    assert settings.delivery.max_failures == 8
    assert settings.platform.limits.usable_requests == 2_000
    assert settings.platform.limits.usable_points == 80_000
    assert settings.rules == ()


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """The example beside the secrets that it names."""
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    for name in (
        "api_key",
        "player_secret",
        "player_bearer",
        "kafka_password",
        "operator_secret",
        "scorm_cloud_password",
        "lms_webhook",
        "platform_webhook",
    ):
        (secrets / name).write_text(f"the-{name}\n")
    (secrets / "launch_key").write_text("a-key-that-signs-what-players-hold\n")
    (secrets / "token_key").write_text(new_key())
    (secrets / "tokens.json").write_text(json.dumps({"ana@example.com": "t"}))
    return config(tmp_path, (ROOT / "config.example.toml").read_text())


def test_the_example_is_right_once_its_secrets_are_there(example: Path) -> None:
    settings = load(example)

    assert settings.platform.api_key.get_secret_value() == "the-api_key"
    [player] = settings.sources.http
    basic, bearer = player.credentials
    assert (basic.key, basic.secret and basic.secret.get_secret_value()) == (
        "player",
        "the-player_secret",
    )
    assert bearer.bearer is not None
    assert bearer.bearer.get_secret_value() == "the-player_bearer"
    [lessons] = settings.sources.kafka
    assert lessons.security.password is not None
    assert lessons.security.password.get_secret_value() == "the-kafka_password"
    assert settings.learners.tokens.kind == "file"
    assert [rule.course for rule in settings.rules] == [
        ("slug", "{course}"),
        ("slug", "{course}"),
        ("id", "{course}"),
        None,
    ]


def test_the_defaults_that_the_example_shows_are_the_defaults(example: Path) -> None:
    plain = load(example)
    # every commented setting that is a scalar, uncommented; the other kinds are explained only
    lines = []
    for line in example.read_text().splitlines():
        name, is_setting, _ = line.removeprefix("# ").partition(" = ")
        scalar = is_setting and name.isidentifier() and not name.endswith("_file")
        skipped = name in {
            *("inline", "service", "login", "verbs", "launches"),
            *("move_on", "slides", "tincan_xml", "due", "fresh_within_seconds"),
            *("source_weights", "rule_weights"),
        }
        lines.append(line.removeprefix("# ") if scalar and not skipped else line)
    example.write_text("\n".join(lines))

    assert load(example) == plain


def keys_of(section: type[Section]) -> Iterator[str]:
    """Its keys and those of the sections in it; a secret counts by the key of its file."""
    for key, field in section.model_fields.items():
        if f"{key}_file" not in section.model_fields:
            yield key
        for part in (field.annotation, *_parts(field.annotation)):
            if isinstance(part, type) and issubclass(part, Section):
                yield from keys_of(part)


def _parts(annotation: Any) -> Iterator[Any]:
    for part in get_args(annotation):
        yield part
        yield from _parts(part)


@pytest.mark.parametrize("key", sorted(set(keys_of(Settings))))
def test_the_example_names_every_setting(key: str) -> None:
    assert re.search(rf"\b{key}\b", (ROOT / "config.example.toml").read_text())


def test_the_environment_wins_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POINTSMAN_PLATFORM__URL", "http://127.0.0.1:9000/graph/")
    monkeypatch.setenv("POINTSMAN_PLATFORM__LIMITS__SHARE", "0.5")
    monkeypatch.setenv(
        "POINTSMAN_HTTP__CORS_ORIGINS", "https://a.example.com, https://b.example.com"
    )
    monkeypatch.setenv("POINTSMAN_LOGGING__LEVEL", "DEBUG")

    settings = load(config(tmp_path))

    assert settings.platform.url == "http://127.0.0.1:9000/graph"
    assert settings.platform.limits.share == 0.5
    assert settings.http.cors_origins == ("https://a.example.com", "https://b.example.com")
    assert settings.logging.level == "debug"
    assert settings.platform.api_key.get_secret_value() == "platform-key"


def test_the_environment_gives_a_list_as_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = {"name": "k", "bootstrap_servers": "a:9092,b:9092", "topics": ["one", "two"]}
    monkeypatch.setenv("POINTSMAN_SOURCES__KAFKA", json.dumps([source]))
    monkeypatch.setenv(
        "POINTSMAN_RULES", '[{"activity": "https://x.example.com/{t}", "topic_id": "{t}"}]'
    )

    settings = load(config(tmp_path))

    assert settings.sources.kafka[0].bootstrap_servers == ("a:9092", "b:9092")
    assert settings.sources.kafka[0].group_id == "pointsman"
    assert settings.rules[0].name == "rule 1"
    assert settings.sources.http[0].name == "player"


def test_a_secret_of_the_environment_displaces_the_files_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = config(tmp_path, MINIMAL.replace('api_key = "platform-key"', 'api_key_file = "nowhere"'))
    monkeypatch.setenv("POINTSMAN_PLATFORM__API_KEY", "from-env")

    assert load(path).platform.api_key.get_secret_value() == "from-env"


def test_tokens_of_the_environment_displace_the_files_tokens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tokens.json").write_text("{}")
    monkeypatch.setenv("POINTSMAN_LEARNERS__TOKENS__FILE", "tokens.json")

    assert load(config(tmp_path)).learners.tokens.kind == "file"


def test_variables_that_kubernetes_puts_beside_a_service_are_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POINTSMAN_PORT", "tcp://10.0.0.1:8080")
    monkeypatch.setenv("POINTSMAN_SERVICE_PORT_HTTP", "8080")
    monkeypatch.setenv("POINTSMAN_CONFIG", "pointsman.toml")

    assert load(config(tmp_path)).http.port == 8080


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_a_secrets_file_may_end_in_a_newline(tmp_path: Path, ending: str) -> None:
    (tmp_path / "key").write_text(f"from file{ending}".replace(" ", "-"), newline="")
    path = config(tmp_path, MINIMAL.replace('api_key = "platform-key"', 'api_key_file = "key"'))

    assert load(path).platform.api_key.get_secret_value() == "from-file"


def test_paths_are_relative_to_the_files_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = config(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")

    assert load(path).store.path == tmp_path / "pointsman.db"
    assert load(Path("..") / path.name).store.path == tmp_path / "pointsman.db"


def test_an_absolute_database_stays_where_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POINTSMAN_STORE__URL", "sqlite:////data/pointsman.db")

    store = load(config(tmp_path)).store

    assert store.path == Path("/data/pointsman.db")
    assert store.url == "sqlite:////data/pointsman.db"


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("https://learn.example.com", "https://learn.example.com/helium"),
        ("https://learn.example.com/", "https://learn.example.com/helium"),
        ("https://learn.example.com/helium", "https://learn.example.com/helium"),
        ("http://localhost:8090/helium/", "http://localhost:8090/helium"),
    ],
)
def test_the_platforms_endpoint_is_added_to_a_bare_host(
    tmp_path: Path, given: str, meant: str
) -> None:
    path = config(tmp_path, MINIMAL.replace("https://learn.example.com", given))

    assert load(path).platform.url == meant


def test_no_secret_is_printed_with_the_settings(example: Path, tmp_path: Path) -> None:
    for settings in (load(example), load(config(tmp_path))):
        printed = f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"
        for secret in ("the-", "platform-key", "player-secret", "ana-token"):
            assert secret not in printed.replace("/the-", "")


def test_settings_can_be_made_without_a_file() -> None:
    settings = Settings.model_validate(
        {
            "platform": {"url": "http://127.0.0.1:1", "api_key": "k"},
            "sources": {"http": [{"name": "x", "credentials": [{"bearer": "b"}]}]},
            "learners": {"tokens": {"inline": {}}},
        }
    )

    assert settings.store.path == Path.cwd() / "pointsman.db"


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    words = refusal(tmp_path / "none.toml")

    assert f"{tmp_path / 'none.toml'}: there is no such file" in words
    assert "-c FILE or POINTSMAN_CONFIG" in words


def test_a_folder_is_no_configuration(tmp_path: Path) -> None:
    assert f"{tmp_path} can't be read: Is a directory" in refusal(tmp_path)


def test_broken_toml_is_named_with_line_and_column(tmp_path: Path) -> None:
    message = refusal(config(tmp_path, '[http]\nport = 80 80\nhost = "x"'))

    assert "is not TOML" in message
    assert "line 2, column 11" in message


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = config(tmp_path)
    path.write_bytes(b'[http]\nhost = "\xff"')

    assert "is not UTF-8 text (byte 16)" in refusal(path)
