"""`pointsman check`: its words, its warnings, its exit codes; and what every command shares."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pointsman.cli import app

GOOD = """
[http]
port = 9000
cors_origins = ["https://learn.example.com"]
[platform]
url = "https://learn.example.com"
api_key = "key-hunter2"
[platform.limits]
requests_per_minute = 100
share = 0.75
[[sources.http]]
name = "player"
credentials = [{ key = "web", secret = "secret-hunter2" }, { bearer = "bearer-hunter2" }]
[[sources.kafka]]
name = "lessons"
bootstrap_servers = "kafka:9092"
topics = ["one", "two"]
[sources.kafka.security]
protocol = "SASL_PLAINTEXT"
sasl_mechanism = "PLAIN"
username = "pm"
password = "password-hunter2"
[[learners.accounts]]
home_page = "https://sso.example.com"
learner = "{name}@example.com"
[learners.tokens]
inline = { "ana@example.com" = "token-hunter2", "ben@example.com" = "token-hunter2" }
[[rules]]
activity = "https://content.example.com/{course}/{topic}"
topic_id = "{topic}"
course_slug = "{course}"
course_completed = "passed"
falls = "new_attempt"
[[rules]]
name = "videos"
activity = "https://video.example.com/{id}"
verbs = ["paused", "completed", "https://example.com/verbs/watched"]
topic_id = "v-{id}"
[[rules]]
name = "units"
activity = "https://units.example.com/{course}/{unit}"
topic_id = "{unit}"
course_slug = "{course}"
course_completed = "completed_and_passed"
course_parts = 3
move_on = "CompletedAndPassed"
[[rules]]
name = "slides"
activity = "https://slides.example.com/{course}/{slide}"
topic_id = "{course}"
slides = 40
"""

FIVE_MISTAKES = """
[http]
port = "many"
[platform]
url = "learn.example.com"
api_key = "key-hunter2"
[platform.limits]
share = 2
[[sources.http]]
name = "player"
credentials = [{ key = "web", secert = "secret-hunter2", bearer_file = "none" }]
[learners.tokens]
inline = { "ana@example.com" = "token-hunter2" }
[[rules]]
activity = "https://content.example.com/{topic}"
topic_id = "{lesson}"
"""
KEYS_OF_THE_FIVE = (
    "http.port = 'many'",
    "platform.url = 'learn.example.com'",
    "platform.limits.share = 2",
    "sources.http[0].credentials[0].secert",
    "rules[0].topic_id (rule 1) = '{lesson}'",
)

runner = CliRunner()


def check(tmp_path: Path, text: str) -> tuple[int, str, str]:
    path = tmp_path / "pointsman.toml"
    path.write_text(text)
    result = runner.invoke(app, ["check", "--config", str(path)])
    assert "hunter2" not in result.output
    return result.exit_code, result.stdout, result.stderr


def test_a_right_configuration_is_put_into_words(tmp_path: Path) -> None:
    code, words, _ = check(tmp_path, GOOD)

    assert code == 0
    for sentence in (
        "HTTP on 0.0.0.0:9000: xAPI at /xapi/statements",
        "Web pages may send from https://learn.example.com.",
        'player sends over HTTP with the key "web" and a bearer token; it has to send as xAPI has',
        "set lenient = true to let it put profiles without If-None-Match",
        (
            "lessons is read from Kafka at kafka:9092: topics one and two, group pointsman, "
            "unencrypted as pm (PLAIN)."
        ),
        (
            "rule 1: a statement about https://content.example.com/{course}/{topic} sets the "
            "progress of topic {topic}, starts the course with slug {course} and completes it "
            "when it is passed; progress starts anew with a new registration."
        ),
        (
            "videos: a statement with the verb paused, completed or "
            "https://example.com/verbs/watched about https://video.example.com/{id} sets the "
            "progress of topic v-{id}; progress never falls."
        ),
        (
            "sets the progress of topic {unit}, to 100 only once it is completed and passed, in "
            "any order (moveOn CompletedAndPassed), starts the course with slug {course} and "
            "completes it when 3 different activities are completed and passed, in any order;"
        ),
        (
            "sets the progress of topic {course} to the share of its 40 slides that were "
            "experienced; progress never falls."
        ),
        "An account of https://sso.example.com is the learner {name}@example.com.",
        "authTokens of 2 learners stand in the configuration.",
        "To https://learn.example.com/helium",
        (
            "At most 75 of 100 requests and 75,000 of 100,000 points a minute; 25 requests and "
            "25,000 points stay for the site."
        ),
        f"Everything accepted, in {tmp_path}/pointsman.db, by this one daemon.",
    ):
        assert sentence in words


def test_what_is_rarely_meant_is_pointed_out(tmp_path: Path) -> None:
    doubtful = (
        GOOD.replace('"https://learn.example.com"]', '"*"]')
        .replace('url = "https://learn', 'url = "http://learn')
        .replace("share = 0.75", "share = 1")
        .replace(
            '[[rules]]\nname = "videos"',
            '[[rules]]\nname = "again"\nactivity = "https://content.example.com/{course}/{topic}"\n'
            'verbs = ["passed"]\ncourse_slug = "{course}"\ncourse_started = false\n'
            '[[rules]]\nname = "videos"',
        )
    )

    code, words, _ = check(tmp_path, doubtful)

    assert code == 0
    found = words[words.index("Look again at") :]
    for doubt in (
        'rules: "again" is never reached; "rule 1" takes all of its.',
        'rules: "again" names a course, but neither starts nor completes it.',
        (
            'rules: what "rule 1" sets is not read back: it names its course by course_slug; give '
            "the rule audit_course_id"
        ),
        'rules: what "videos" sets is not read back: it names a topic and no course',
        "http.operator: it is not set, so metrics, probes and POST /launches are on http.port",
        "http.cors_origins: with *",
        "platform.url: with http://",
        "platform.limits.share: with 1",
        'source "lessons": with SASL_PLAINTEXT',
    ):
        assert f"! {doubt}" in found


@pytest.mark.parametrize(
    "http", ['[http]\nhost = "127.0.0.1"\n', "[http.operator]\n[http]\n"], ids=["loopback", "own"]
)
def test_an_operators_port_is_missed_only_where_others_reach_the_one_that_there_is(
    tmp_path: Path, http: str
) -> None:
    _, words, _ = check(tmp_path, GOOD.replace("[http]\n", http))

    assert "http.operator: it is not set" not in words


def test_an_operators_port_is_another_one(tmp_path: Path) -> None:
    code, _, errors = check(tmp_path, GOOD + "[http.operator]\nport = 9000\n")

    assert code == 2
    assert "http.operator" in errors
    assert "must have another port than http.port, which is 9000 too" in errors


def test_a_configuration_without_rules_is_right_but_pointed_out(tmp_path: Path) -> None:
    code, words, _ = check(tmp_path, GOOD[: GOOD.index("[[rules]]")])

    assert code == 0
    assert "There are no rules." in words
    assert "every statement is kept as unmatched and nothing is sent" in words


def test_five_mistakes_are_all_named_and_the_exit_code_is_2(tmp_path: Path) -> None:
    code, words, errors = check(tmp_path, FIVE_MISTAKES)

    assert code == 2
    assert words == ""
    for key in KEYS_OF_THE_FIVE:
        assert key in errors


def test_the_command_itself_exits_with_2_and_no_traceback(tmp_path: Path) -> None:
    path = tmp_path / "pointsman.toml"
    path.write_text(FIVE_MISTAKES)

    done = subprocess.run(
        [sys.executable, "-m", "pointsman", "check"],
        env={**os.environ, "POINTSMAN_CONFIG": str(path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 2
    assert done.stdout == ""
    assert "hunter2" not in done.stderr
    assert "Traceback" not in done.stderr
    for key in KEYS_OF_THE_FIVE:
        assert key in done.stderr


@pytest.mark.parametrize("command", ["check", "run", "verify"])
def test_every_command_refuses_a_wrong_configuration_alike(tmp_path: Path, command: str) -> None:
    result = runner.invoke(app, [command, "-c", str(tmp_path / "none.toml")])

    assert result.exit_code == 2
    assert "there is no such file" in result.stderr


@pytest.mark.parametrize("command", ["check", "run", "verify", "emulate"])
def test_help_teaches_by_an_example(command: str) -> None:
    result = runner.invoke(app, [command, "--help"])

    assert result.exit_code == 0
    assert "Example:" in result.stdout


FOREIGN = """
[[sources.scorm_cloud]]
name = "scorm"
username = "cloud"
password = "password-hunter2"
learner = "id"
[[sources.webhooks]]
name = "quiz"
standard = true
secret = "whsec_c2VjcmV0LWh1bnRlcjI="
items = "answers"
learner = "$.who"
activity = "https://quiz.example.com/{id}"
completed = "state"
completed_values = ["done", "closed"]
score = "points"
score_scale = 1
id = "id"
[[sources.webhooks]]
name = "lms"
secret = "secret-hunter2"
signature = { header = "X-Sum" }
learner = "user"
activity = "url"
home_page = "https://lms.example.com"
progress = "percent"
passed = "ok"
time = "at"
registration = "try"
"""


def test_sources_of_other_things_than_statements_are_explained(tmp_path: Path) -> None:
    code, said, _ = check(
        tmp_path, GOOD.replace("[[learners.accounts]]", f"{FOREIGN}[[learners.accounts]]")
    )

    assert code == 0
    assert (
        'scorm posts registrations of SCORM Cloud to /scorm-cloud/postback as the user "cloud": a '
        "course is the activity https://cloud.scorm.com/{course}, a SCO "
        "https://cloud.scorm.com/{course}/{sco}; the learner is the id; what is no address is an "
        "account of https://cloud.scorm.com."
    ) in said
    assert (
        "quiz posts JSON to /webhooks/quiz, signed as Standard Webhooks say, within 300 s of this "
        "clock: for each of answers, the learner is $.who, the activity "
        "https://quiz.example.com/{id}, completed state when it is done or closed, the score "
        "points of 1, the time that of arrival, the same again when id is; a learner who is no "
        "address is an account of https://webhooks.invalid/quiz."
    ) in said
    assert (
        "lms posts JSON to /webhooks/lms, signed in X-Sum, whenever it was sent: the learner is "
        "user, the activity url, progress percent of 100, passed ok, the time at, the attempt try; "
        "a learner who is no address is an account of https://lms.example.com."
    ) in said
