"""Slides of a Storyline export, counted when the configuration is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from pointsman.config import load
from pointsman.config.storyline import count_slides
from pointsman.domain.errors import ConfigError

TEMPLATE = "https://content.example.com/{course}/{slide}"
HEAD = '<?xml version="1.0"?>\n<tincan xmlns="http://projecttincan.com/tincan.xsd"><activities>\n'
TAIL = "</activities></tincan>"
MODULE = "http://adlnet.gov/expapi/activities/module"
COURSE = "http://adlnet.gov/expapi/activities/course"
QUESTION = "http://adlnet.gov/expapi/activities/cmi.interaction"
GOOD = (
    f'{HEAD}<activity id="https://content.example.com/yard" type="{COURSE}"><name>Yard</name>'
    f'<launch lang="en-us">story.html</launch></activity>\n'
    f'<activity id="https://content.example.com/yard/1" type="{MODULE}"/>\n'
    f'<activity id="https://content.example.com/yard/2" type="{MODULE}"/>\n'
    f'<activity id="https://content.example.com/yard/2" type="{MODULE}"/>\n'
    f'<activity id="https://content.example.com/yard/q" type="{QUESTION}"/>\n'
    f'<activity id="https://content.example.com/yard/q/a" type="{MODULE}"/>\n{TAIL}'
)
CONFIG = """
[platform]
url = "https://learn.example.com"
api_key = "key"
[[sources.http]]
name = "player"
credentials = [{ key = "web", secret = "secret" }]
[learners.tokens]
inline = { "ana@example.com" = "token" }
[[rules]]
activity = "https://content.example.com/{course}/{slide}"
topic_id = "{course}"
tincan_xml = "export/tincan.xml"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "tincan.xml"
    path.write_text(text)
    return path


def test_different_slides_that_the_template_matches_are_counted(tmp_path: Path) -> None:
    assert count_slides(written(tmp_path, GOOD), TEMPLATE) == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "line 1: is no XML (no element found)"),
        (HEAD, "line 3: is no XML (no element found)"),
        ("not XML", "line 1: is no XML"),
        (f"{HEAD}<activity/>{TAIL}", "line 3: <activity> has no id"),
        (f"{HEAD}{TAIL}", "has no <activity> that is a slide"),
        (
            f'{HEAD}\n<activity id="https://other.example.com/1"/>{TAIL}',
            "no slide that matches activity; line 4 has 'https://other.example.com/1'",
        ),
        ('<!DOCTYPE a [<!ENTITY b "c">]>\n<a>&b;</a>', "line 1: a DOCTYPE is not allowed"),
        (" " * 10_000_001, "is larger than 10,000,000 bytes"),
    ],
)
def test_what_is_wrong_with_it_is_said_with_the_file_and_the_line(
    tmp_path: Path, text: str, words: str
) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ValueError, match="tincan") as refused:
        count_slides(path, TEMPLATE)
    assert str(path) in str(refused.value)
    assert words in str(refused.value)


def test_a_rule_counts_them_from_beside_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "export").mkdir()
    written(tmp_path / "export", GOOD)
    config = tmp_path / "pointsman.toml"
    config.write_text(CONFIG)
    assert load(config).rules[0].slides == 2
    config.write_text(f"{CONFIG}slides = 3\n")
    with pytest.raises(ConfigError, match=r"slides .* and tincan_xml are both given"):
        load(config)
