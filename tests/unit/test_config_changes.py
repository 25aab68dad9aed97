"""What of a configuration changes while the daemon runs, and what needs a restart."""

from __future__ import annotations

from pathlib import Path

import pytest

from pointsman.config import Settings, load
from pointsman.config.changes import LIVE, changes, config_hash

ROOT = Path(__file__).parents[2]
BASE = """
allow_weak_secrets = true
[http]
port = 8080
[http.operator]
port = 8081
[platform]
url = "https://learn.example.com"
api_key = "key"
[platform.limits]
share = 0.8
[learners.tokens]
inline = { "ana@example.com" = "token" }
[[sources.http]]
name = "players"
credentials = [{ key = "user", secret = "secret" }]
[[rules]]
name = "lessons"
activity = "https://content.example.com/{topic}"
topic_id = "{topic}"
"""


#: another key of the operator's page
KEYS = 'keys = [{{ name = "{}", key = "a key" }}]'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "key").write_text("from-a-file")
    (tmp_path / "tokens.json").write_text("{}")
    return tmp_path


def read(folder: Path, text: str) -> Settings:
    path = folder / "pointsman.toml"
    path.write_text(text)
    return load(path)


@pytest.mark.parametrize(
    ("before", "after", "live", "restart"),
    [
        ("share = 0.8", "share = 0.5", ["platform.limits.share"], []),
        ('topic_id = "{topic}"', 'topic_id = "t-{topic}"', ["rules"], []),
        ('secret = "secret"', 'secret = "another"', ["sources.http"], []),
        ('api_key = "key"', 'api_key = "next"', ["platform.api_key"], []),
        (
            'api_key = "key"',
            'api_key_file = "key"',
            ["platform.api_key", "platform.api_key_file"],
            [],
        ),
        ('"ana@example.com" = "token"', '"bo@x.com" = "t"', ["learners.tokens.inline"], []),
        ("[platform]\n", '[logging]\nlevel = "debug"\n[platform]\n', ["logging.level"], []),
        (
            "[platform]\n",
            "[delivery]\nsource_weights = { import = 2 }\n[platform]\n",
            ["delivery.source_weights"],
            [],
        ),
        ("port = 8080", "port = 9080", [], ["http.port"]),
        ("port = 8081", 'port = 8081\nhosts = ["ops"]', ["http.operator.hosts"], []),
        ("port = 8081", "port = 9081", [], ["http.operator.port"]),
        # the page that they open begins with the start
        ("port = 8081", f"port = 8081\n{KEYS.format('a')}", [], ["http.operator.keys"]),
        ("share = 0.8", 'share = 0.8\nsharing = "adaptive"', ["platform.limits.sharing"], []),
        (
            "[platform]\n",
            '[delivery_events]\nbootstrap_servers = "k"\ntopic = "t"\n[platform]\n',
            [],
            ["delivery_events"],
        ),
        ("[http.operator]\nport = 8081", "", [], ["http.operator"]),
        ("[platform]\n", '[store]\nurl = "sqlite:///b.db"\n[platform]\n', [], ["store.url"]),
        (
            'inline = { "ana@example.com" = "token" }',
            'file = "tokens.json"',
            ["learners.tokens.inline"],
            ["learners.tokens.file"],
        ),
        ("share = 0.8\n", "share = 0.8\n# a remark\n", [], []),
    ],
)
def test_a_change_is_named_by_its_settings_and_by_what_it_needs(
    folder: Path, before: str, after: str, live: list[str], restart: list[str]
) -> None:
    assert BASE.count(before) == 1
    old, new = read(folder, BASE), read(folder, BASE.replace(before, after))

    different = changes(old, new)

    assert (list(different.live), list(different.restart)) == (live, restart)


def test_keys_of_the_page_change_live_and_the_first_and_last_one_need_a_restart(
    folder: Path,
) -> None:
    none, ben, amy = (
        read(folder, BASE.replace("port = 8081", f"port = 8081\n{keys}"))
        for keys in ("", KEYS.format("ben"), KEYS.format("amy"))
    )

    assert changes(ben, amy).live == ("http.operator.keys",)
    assert changes(ben, none).restart == changes(none, ben).restart == ("http.operator.keys",)


def test_a_secret_that_changes_in_its_file_is_no_change(folder: Path) -> None:
    text = BASE.replace('api_key = "key"', 'api_key_file = "key"')
    old = read(folder, text)
    (folder / "key").write_text("the-next-one")
    new = read(folder, text)

    assert not changes(old, new)
    assert config_hash(old, b"secret") == config_hash(new, b"secret")


def test_the_hash_is_that_of_the_meaning_and_of_the_installation(folder: Path) -> None:
    base = read(folder, BASE)

    assert config_hash(base, b"s") == config_hash(read(folder, "# remark\n" + BASE), b"s")
    assert config_hash(base, b"s") != config_hash(base, b"another installation")
    another = read(folder, BASE.replace('secret = "secret"', 'secret = "another"'))
    assert config_hash(base, b"s") != config_hash(another, b"s")


def test_processes_of_one_file_have_their_operators_ports_and_one_hash(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = read(folder, BASE)
    monkeypatch.setenv("POINTSMAN_HTTP__OPERATOR__PORT", "9002")
    second = read(folder, BASE)

    assert config_hash(first, b"s") == config_hash(second, b"s")
    assert changes(first, second).restart == ("http.operator.port",)


def test_every_setting_that_changes_live_exists() -> None:
    def paths(model: type, prefix: str = "") -> set[str]:
        found = set()
        for name, field in model.model_fields.items():  # type: ignore[attr-defined]
            found.add(prefix + name)
            for part in (field.annotation, *getattr(field.annotation, "__args__", ())):
                if hasattr(part, "model_fields"):
                    found |= paths(part, f"{prefix}{name}.")
        return found

    assert LIVE - paths(Settings) == set()


def test_the_docs_name_every_setting_that_changes_live() -> None:
    page = (ROOT / "docs" / "configuration.md").read_text()
    table = page.partition("## Change it while it runs")[2].partition("\n## ")[0]

    assert {path for path in LIVE if f"`{path}`" not in table} == set()
