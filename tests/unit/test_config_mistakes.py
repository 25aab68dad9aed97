"""Mistakes in a configuration: each is named at its key, all at once, and no secret with them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pointsman.config import load
from pointsman.domain.errors import ConfigError

SECRET = "hunter2"

FIVE_MISTAKES = f"""
[http]
port = 99999
[platform]
url = "learn.example.com"
apikey = "{SECRET}"
[platform.limits]
share = 1.5
[[sources.http]]
name = "player"
credentials = [{{ key = "player" }}]
[learners.tokens]
inline = {{}}
[[rules]]
name = "lessons"
activity = "https://content.example.com/{{course}}{{topic}}"
topic_id = "{{topic}}"
"""

GOOD: dict[str, object] = {
    "platform": {"url": "https://learn.example.com", "api_key": SECRET},
    "sources": {"http": [{"name": "player", "credentials": [{"bearer": SECRET}]}]},
    "learners": {"tokens": {"inline": {"ana@example.com": SECRET}}},
}
RULE = {"activity": "https://x.example.com/{c}/{t}", "topic_id": "{t}"}
KAFKA = {"name": "k", "bootstrap_servers": ["a:9092"], "topics": ["t"]}


def toml(value: object) -> str:
    """`value` in TOML's inline form."""
    if isinstance(value, dict):
        inside = ", ".join(f"{json.dumps(key)} = {toml(item)}" for key, item in value.items())
        return f"{{{inside}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    return json.dumps(value, ensure_ascii=False)


def refusal(tmp_path: Path, **sections: object) -> list[str]:
    """The mistakes found in the good configuration with these sections in place of its own."""
    path = tmp_path / "pointsman.toml"
    path.write_text(
        "\n".join(f"{key} = {toml(item)}" for key, item in {**GOOD, **sections}.items())
    )
    return refused(path)


def refused(path: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(path)
    message = str(caught.value)
    assert SECRET not in message
    first, *lines = message.split("\n  ")
    assert first == f"{path} has {len(lines)} mistake{'s' if len(lines) > 1 else ''}:"
    return lines


def test_all_mistakes_are_named_at_once(tmp_path: Path) -> None:
    path = tmp_path / "pointsman.toml"
    path.write_text(FIVE_MISTAKES)

    assert refused(path) == [
        "http.port = 99999: must be a whole number from 1 to 65535",
        "platform.url = 'learn.example.com': must be an http:// or https:// URL with a host",
        "platform.api_key: is missing; give api_key, or api_key_file with the path of a file",
        "platform.limits.share = 1.5: must be a number above 0 and up to 1",
        "platform.apikey: is no setting; did you mean api_key?",
        (
            'sources.http[0].credentials[0].secret (source "player"): '
            "needs secret or secret_file too: key and secret go together"
        ),
        (
            'rules[0].activity (rule "lessons") = '
            "'https://content.example.com/{course}{topic}': {course}{topic} are side by side, so "
            "nothing tells where one ends"
        ),
    ]


def test_an_empty_file_is_told_everything_it_lacks(tmp_path: Path) -> None:
    path = tmp_path / "pointsman.toml"
    path.write_text("")

    assert [line.split(": ")[0] for line in refused(path)] == [
        "platform.url",
        "platform.api_key",
        "learners.tokens.service",
        "sources",
    ]


def platform(**more: object) -> dict[str, object]:
    return {"platform": {"url": "https://learn.example.com", "api_key": SECRET, **more}}


def http(*credentials: object, name: str = "player") -> dict[str, object]:
    return {"sources": {"http": [{"name": name, "credentials": list(credentials)}]}}


def kafka(**more: object) -> dict[str, object]:
    return {"sources": {"kafka": [{**KAFKA, **more}]}}


def sasl(**more: object) -> dict[str, object]:
    return kafka(security={"protocol": "SASL_SSL", **more})


def tokens(**more: object) -> dict[str, object]:
    return {"learners": {"tokens": more}}


def account(**more: object) -> dict[str, object]:
    return {
        "learners": {
            "tokens": {"inline": {}},
            "accounts": [{"home_page": "https://s.example.com", **more}],
        }
    }


def rule(**more: object) -> dict[str, object]:
    return {"rules": [{**RULE, **more}]}


def courses(**more: object) -> dict[str, object]:
    """A rule without a topic."""
    return {"rules": [{"activity": RULE["activity"], "course_id": "{c}", **more}]}


CASES: list[tuple[dict[str, object], str, str]] = [
    ({"http": {"port": 0}}, "http.port = 0", "from 1 to 65535"),
    ({"http": {"port": "many"}}, "http.port = 'many'", "a whole number"),
    (
        {"http": {"reuse_port": True}, "store": {"url": "postgresql://u@db/x"}},
        "http.operator",
        "with another port for each process",
    ),
    (
        {"http": {"reuse_port": True, "operator": {}}},
        "store",
        "one SQLite file is for one process",
    ),
    ({"http": {"host": ""}}, "http.host = ''", "must not be empty"),
    ({"http": {"drain_seconds": -1}}, "http.drain_seconds = -1", "a number from 0"),
    ({"http": {"cors_origins": ["https://a.example.com/x"]}}, "http.cors_origins = ", "origins"),
    ({"http": {"cors_origins": ["a.example.com"]}}, "http.cors_origins = ", "http://"),
    ({"http": {"cors_origins": [1]}}, "http.cors_origins[0] = 1", "must be text in quotes"),
    (
        {
            "launches": {
                "public_url": "https://p.example.com",
                "operators": [{"key": "o", "secret": SECRET}],
                "signing_key": SECRET * 5,
                "grace_seconds": -1,
            }
        },
        "launches.grace_seconds = -1",
        "a number from 0 to 3600",
    ),
    ({"http": {"prot": 1}}, "http.prot", "did you mean port?"),
    ({"http": {"zzz": 1}}, "http.zzz", "host, port, reuse_port, max_body_bytes"),
    ({"http": "localhost"}, "http", "must be a table"),
    ({"htpp": {"port": 1}}, "htpp", "did you mean http?"),
    ({"store": {"url": f"postgresql://u:{SECRET}@db/x"}}, "store.url = ", "store.password_file"),
    ({"store": {"url": f"postgres://u@db/x?password={SECRET}"}}, "store.url = ", "must not carry"),
    ({"store": {"url": "postgresql://db/x"}}, "store.url = ", "postgresql://USER@HOST/DATABASE"),
    ({"store": {"url": "postgresql://u@db"}}, "store.url = ", "postgresql://USER@HOST/DATABASE"),
    ({"store": {"url": "postgresql://u@db:port/x"}}, "store.url = ", "is no address"),
    ({"store": {"url": "postgresql://u@a:1,b:port/x"}}, "store.url = ", "is no address"),
    ({"store": {"url": "postgresql://u@a,,b/x"}}, "store.url = ", "separated by commas"),
    ({"store": {"url": f"postgresql://u:{SECRET}@a,b/x"}}, "store.url = ", "store.password_file"),
    ({"store": {"url": f"postgres://u@db/x?sslpassword={SECRET}"}}, "store.url = ", "must not"),
    (
        {"store": {"url": "postgresql://u@a,b/x?target_session_attrs=standby"}},
        "store.url = ",
        "target_session_attrs=read-write",
    ),
    ({"store": {"connections": 1}}, "store.connections = 1", "from 2 to 200"),
    ({"http": {"intake": "kafka"}}, "http.kafka", "needs [http.kafka]"),
    (
        {"http": {"kafka": {"bootstrap_servers": ["b:9092"], "topic": "t"}}},
        "http.kafka",
        'of no use with intake = "store"',
    ),
    (
        {"http": {"intake": "kafka", "kafka": {"bootstrap_servers": ["b:9092"], "topic": "a b"}}},
        "http.kafka.topic",
        "'a b' is not one",
    ),
    ({"store": {"url": "pointsman.db"}}, "store.url = ", "must be sqlite:///FILE"),
    ({"store": {"url": "sqlite:///:memory:"}}, "store.url = ", "must be sqlite:///FILE"),
    ({"store": {"url": "sqlite:////data/"}}, "store.url = ", "must be sqlite:///FILE"),
    ({"store": {"url": "sqlite:///file:/data/a.db"}}, "store.url = ", "must be sqlite:///FILE"),
    ({"store": {"url": "sqlite:////data/a.db?mode=rw"}}, "store.url = ", "must be sqlite:///FILE"),
    ({"store": {"url": "sqlite:////data/a.db#x"}}, "store.url = ", "must be sqlite:///FILE"),
    (platform(url=f"https://u:{SECRET}@x.example.com"), "platform.url = ", "must not carry"),
    (platform(url=f"https://x.example.com?apiKey={SECRET}"), "platform.url = ", "no query"),
    (platform(url="https://x.example.com:port"), "platform.url = ", "must be an http://"),
    (platform(url="https://x.example.com/a b"), "platform.url = ", "without spaces"),
    (platform(api_key=7), "platform.api_key", "must be"),
    (platform(api_key=f"{SECRET}\r\nx: y"), "platform.api_key", "plain ASCII"),
    (platform(api_key_file=__file__), "platform.api_key", "both given"),
    (platform(timeout_seconds=0), "platform.timeout_seconds = 0", "above 0"),
    (platform(limits={"share": 0.0001}), "platform.limits.share = 0.0001", "nothing could ever"),
    ({"delivery": {"lease_seconds": 30}}, "delivery", "more than platform.timeout_seconds"),
    (
        {"delivery": {"source_weights": {"palyer": 2, "player": 1, "import": 2, "launch": 2}}},
        "delivery",
        "has source_weights for 'palyer', which is no source; did you mean 'player'?",
    ),
    (
        {"delivery": {"rule_weights": {"rule 2": 2, "rule 1": 1, "launch": 2}}, "rules": [RULE]},
        "delivery",
        "has rule_weights for 'rule 2', which is no rule; did you mean 'rule 1'?",
    ),
    (
        {"delivery": {"source_weights": {"x": 2}, "rule_weights": {"y": 2}}},
        "delivery",
        "there are 'audit', 'import', 'launch', 'player'; has rule_weights for 'y', which",
    ),
    ({"delivery": {"retry_max_seconds": 0.5}}, "delivery.retry_max_seconds = 0.5", "at least"),
    (http({"bearer": SECRET}, name="LMS"), "sources.http[0].name", "a-z, 0-9, _ and -"),
    (http(), 'sources.http[0].credentials (source "player")', "at least one"),
    (http({}), "sources.http[0].credentials[0].bearer", "key and secret, or bearer"),
    (http({"key": "a:b", "secret": SECRET}), "sources.http[0].credentials[0].key", "colon"),
    (http({"secret": SECRET}), "sources.http[0].credentials[0].secret", "needs key too"),
    (
        http({"key": "a", "secret": SECRET, "bearer": SECRET}),
        "sources.http[0].credentials[0].bearer",
        "of its own",
    ),
    (
        http({"key": "a", "secret": SECRET}, {"key": "a", "secret": SECRET + "x"}),
        "sources.http",
        "the key 'a' twice",
    ),
    (http({"bearer": SECRET}, {"bearer": SECRET}), "sources.http", "one bearer twice"),
    (
        http({"key": "a", "secret_file": "none"}),
        "sources.http[0].credentials[0].secret_file",
        "none can't be read: No such file",
    ),
    (
        {"sources": {"kafka": [KAFKA], "http": [{"name": "k", "credentials": [{"bearer": "b"}]}]}},
        "sources.kafka",
        "the name 'k' twice",
    ),
    ({"sources": {}}, "sources", "give at least one of [[sources.http]]"),
    (http({"bearer": SECRET}, name="launch"), "sources.http[0].name", "what launched players say"),
    (kafka(bootstrap_servers=[]), "sources.kafka[0].bootstrap_servers", "at least one"),
    (
        kafka(bootstrap_servers="a:b"),
        "= 'a:b'",
        "host:port",
    ),
    (kafka(bootstrap_servers="a:99999"), "sources.kafka[0].bootstrap_servers", "host:port"),
    (kafka(topics=["a/b"]), "sources.kafka[0].topics (source \"k\") = ['a/b']", "letters, digits"),
    (kafka(topics=["a", "a"]), "sources.kafka[0].topics", "'a' twice"),
    (kafka(auto_offset_reset="newest"), "sources.kafka[0].auto_offset_reset", "'earliest'"),
    (sasl(username="u", password=SECRET), 'sasl_mechanism (source "k")', "needs it"),
    (sasl(sasl_mechanism="PLAIN", password=SECRET), "security.username", "needs it"),
    (sasl(sasl_mechanism="PLAIN", username="u"), "security.password", "needs it"),
    (sasl(sasl_mechanism="GSSAPI", username="u", password=SECRET), "sasl_mechanism", "'PLAIN'"),
    (kafka(security={"username": "u"}), "security.username", "of no use"),
    (kafka(security={"ca_file": __file__}), "security.ca_file", "does not encrypt"),
    (kafka(security={"protocol": "SSL", "cert_file": __file__}), "security.key_file", "both"),
    (kafka(security={"protocol": "SSL", "ca_file": "none"}), "ca_file", "No such file"),
    (tokens(), "learners.tokens.service", "exactly one"),
    (tokens(inline={}, file=__file__), "learners.tokens.service", "exactly one"),
    (tokens(file="none/t.json"), "learners.tokens.file = 'none/t.json'", "No such file"),
    (tokens(inline={"ana@example.com": ""}), "learners.tokens.inline", "'ana@example.com'"),
    (tokens(service={"url": "https://s.example.com"}), "learners.tokens.service.url", "{learner}"),
    (tokens(service={"url": "ftp://s/{learner}"}), "learners.tokens.service.url", "http://"),
    (account(learner="all@example.com"), "learners.accounts[0].learner", "{name}"),
    (account(learner="{name"), "learners.accounts[0].learner", "without its partner"),
    (rule(activity="{t}"), "rules[0].activity (rule 1) = '{t}'", "scheme"),
    (rule(activity="https://x.example.com/{+t}"), "rules[0].activity", "level 1"),
    (rule(activity="https://x.example.com/{t}/{t}"), "rules[0].activity", "twice"),
    (rule(activity="https://x.example.com/{t"), "rules[0].activity", "without its partner"),
    (rule(topic_id="{x}"), "rules[0].topic_id (rule 1) = '{x}'", "but activity has {c}, {t}"),
    (rule(topic_id=""), "rules[0].topic_id (rule 1) = ''", "must not be empty"),
    (rule(course_id="{c}", course_slug="{c}"), "rules[0].course_slug", "names its course once"),
    (rule(course_completed="passed"), "rules[0].course_completed", "needs a course"),
    (rule(course_completed="done"), "rules[0].course_completed", "'never'"),
    (rule(course_completed="completed_and_pased"), "course_completed", "'completed_and_passed'"),
    (rule(course_parts=2), "rules[0].course_parts (rule 1) = 2", "needs course_completed"),
    (rule(course_parts=0), "rules[0].course_parts", "from 1 to 1000"),
    (rule(move_on="completed"), "rules[0].move_on", "'CompletedAndPassed'"),
    (courses(move_on="Passed"), "rules[0].move_on", "needs topic_id"),
    (rule(falls="always", move_on="Passed"), "rules[0].move_on", 'falls = "always"'),
    (rule(slides=0), "rules[0].slides", "from 1 to 5000"),
    (rule(falls="always", slides=4), "rules[0].slides", 'falls = "always"'),
    (courses(slides=4), "rules[0].slides", "needs topic_id, or"),
    (rule(tincan_xml="none.xml"), "rules[0].tincan_xml", "No such file"),
    (rule(tincan_xml=__file__), "rules[0].tincan_xml", "line 1: is no XML"),
    (rule(falls="sometimes"), "rules[0].falls", "'never', 'new_attempt' or 'always'"),
    (rule(verbs=["complete"]), "rules[0].verbs", "did you mean 'completed'?"),
    (rule(verbs=[]), "rules[0].verbs", "at least one"),
    (
        {"rules": [{"activity": "https://x.example.com/{c}"}]},
        "rules[0].topic_id",
        "at least one of them",
    ),
    ({"rules": [RULE | {"name": "a"}, RULE | {"name": "a"}]}, "rules", "the name 'a' twice"),
    ({"rules": RULE}, "rules", "must be a list"),
    ({"rules": ["x"]}, "rules[0] (rule 1)", "must be a table"),
    ({"logging": {"format": "xml"}}, "logging.format = 'xml'", "must be 'json' or 'console'"),
]


@pytest.mark.parametrize(("sections", "key", "allowed"), CASES)
def test_a_mistake_is_named_with_its_key_and_what_is_allowed(
    tmp_path: Path, sections: dict[str, object], key: str, allowed: str
) -> None:
    [line] = refusal(tmp_path, **sections)

    where, _, what = line.partition(": ")
    assert key in where
    assert allowed in what


def test_a_wrong_password_file_is_one_mistake_not_two(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")

    [line] = refusal(tmp_path, **sasl(sasl_mechanism="PLAIN", username="u", password_file="empty"))

    assert line.endswith(f"{tmp_path / 'empty'} is empty")


def test_a_second_rule_is_told_from_the_first(tmp_path: Path) -> None:
    lines = refusal(tmp_path, rules=[RULE, RULE | {"name": "videos", "topic_id": "{x}"}, {}])

    assert [line.split(" = ")[0].split(": ")[0] for line in lines] == [
        'rules[1].topic_id (rule "videos")',
        "rules[2].activity (rule 3)",
        "rules[2].topic_id (rule 3)",
    ]


ENVIRONMENT: list[tuple[str, str, str]] = [
    (
        "POINTSMAN_HTTP__PORT",
        "many",
        "http.port = 'many' (from POINTSMAN_HTTP__PORT): must be a whole number from 1 to 65535",
    ),
    (
        "POINTSMAN_HTTP__PROT",
        "1",
        "http.prot (from POINTSMAN_HTTP__PROT): is no setting; did you mean port?",
    ),
    (
        "POINTSMAN_HTPP__PORT",
        "1",
        (
            "environment variable POINTSMAN_HTPP__PORT: there is no section 'htpp'; did you mean "
            "POINTSMAN_HTTP__PORT?"
        ),
    ),
    (
        "POINTSMAN_RULES",
        f'[{{"name": "{SECRET}"',
        (
            "rules (from POINTSMAN_RULES): must be a list, as JSON (Expecting ',' delimiter at "
            "character 20)"
        ),
    ),
    (
        "POINTSMAN_PLATFORM__LIMITS",
        "[]",
        "platform.limits (from POINTSMAN_PLATFORM__LIMITS): must be a table",
    ),
    (
        "POINTSMAN_RULES",
        '[{"name": "a", "activity": "https://x.example.com/{t}", "topic_id": "{u}"}]',
        (
            "rules[0].topic_id (rule \"a\") = '{u}' (from POINTSMAN_RULES): "
            "uses {u}, but activity has {t}"
        ),
    ),
]


@pytest.mark.parametrize(("variable", "value", "line"), ENVIRONMENT)
def test_a_mistake_in_the_environment_names_its_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, line: str
) -> None:
    monkeypatch.setenv(variable, value)

    assert refusal(tmp_path) == [line]


def test_a_long_value_is_cut(tmp_path: Path) -> None:
    [line] = refusal(tmp_path, logging={"format": "x" * 10_000})

    assert len(line) < 250


@pytest.mark.parametrize(
    "text",
    [
        f"a = {'[' * 5000}{']' * 5000}",
        f"platform = {'{b = ' * 450}1{'}' * 450}",
        f"a = {'[' * 900}{']' * 900}",
    ],
    ids=["lists", "tables", "lists that TOML can hold"],
)
def test_a_file_that_is_nested_too_deeply_is_a_mistake(tmp_path: Path, text: str) -> None:
    path = tmp_path / "pointsman.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=f"{path} can't be read: .* nested too deeply"):
        load(path)


def test_a_number_that_is_too_long_to_read_is_a_mistake_of_that_file(tmp_path: Path) -> None:
    path = tmp_path / "pointsman.toml"
    path.write_text(f"[http]\nport = {'9' * 5000}")
    with pytest.raises(ConfigError, match=f"{path} is not TOML"):
        load(path)


def test_of_very_many_mistakes_the_first_are_named_and_the_rest_counted(tmp_path: Path) -> None:
    path = tmp_path / "pointsman.toml"
    path.write_text("\n".join(f"key_{number} = 1" for number in range(2000)))
    with pytest.raises(ConfigError) as caught:
        load(path)
    first, *lines = str(caught.value).split("\n  ")
    # and four settings that are missing
    assert first == f"{path} has 2,004 mistakes, of which these are 50:"
    assert len(lines) == 50
