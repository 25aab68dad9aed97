from __future__ import annotations

from pathlib import Path

import pytest

from pointsman.domain.errors import ConfigError
from pointsman.emulator import builtin_catalogue, load_catalogue

GOOD = """
[[learners]]
id = "u1"
email = "Ana@Example.com"
password = "pass-word"

[[courses]]
id = "c1"
slug = "one"
title = "One"
[[courses.lessons]]
id = "l1"
title = "First"
topics = [
  { id = "t1", title = "A", type = "text" },
  { id = "t2", title = "B", type = "quiz", min_passing_percent = 70 },
]
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "catalogue.toml"
    path.write_text(text, "utf-8")
    return path


def test_a_catalogue_is_read_with_its_defaults(tmp_path: Path) -> None:
    catalogue = load_catalogue(write(tmp_path, GOOD))
    (ana,) = catalogue.learners
    assert (ana.email, ana.role) == ("ana@example.com", "STUDENT")
    assert "pass-word" not in repr(catalogue)
    course, topic = catalogue.topic_by_id["t2"]
    assert (course.slug, topic.min_passing_percent) == ("one", 70)


def test_the_builtin_catalogue_holds_the_demo_learners_and_what_the_reference_page_names() -> None:
    catalogue = builtin_catalogue()
    passwords = {learner.email: learner.password for learner in catalogue.learners}
    assert passwords["ana@example.com"] == passwords["ben@example.com"] == "demo"
    assert {"lp_abc123", "lp_456"} == set(catalogue.path_by_id)
    assert catalogue.meeting_by_id["mtg_111aaa"][0].id == "crs_789xyz"
    assert {"course_abc123", "course_def456", "course_456"} <= set(catalogue.course_by_id)
    assert catalogue.topic_by_id["tpc_01HX3Q4R5S6T7U8V"][0].slug == "intro-to-graphql"
    assert len(catalogue.course_by_slug["demo-course"].topics) == 8


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ('slug = "one"\n', "", "courses[0].slug: Field required"),
        ('slug = "one"', 'slug = ""', "courses[0].slug: String should have at least 1 character"),
        ('slug = "one"', "slug = 5", "courses[0].slug: Input should be a valid string (it is 5)"),
        ('slug = "one"', 'slug = "one"\nslags = 1', "courses[0].slags: Extra inputs"),
        ('"Ana@Example.com"', '"ana"', "learners[0].email: String should match pattern"),
        ('"pass-word"', '""', "learners[0].password: String should have at least 1 character"),
        ('"quiz"', '"riddle"', "courses[0].lessons[0].topics[1].type: Input should be 'ad'"),
        ("= 70", "= 170", "topics[1].min_passing_percent: Input should be less than"),
        ('"t2"', '"t1"', "topics[1].id: 't1' is already the id of courses[0].lessons[0].topics[0]"),
    ],
)
def test_a_mistake_is_named_by_file_and_key(tmp_path: Path, old: str, new: str, line: str) -> None:
    path = write(tmp_path, GOOD.replace(old, new))
    with pytest.raises(ConfigError) as caught:
        load_catalogue(path)
    assert str(caught.value).startswith(f"catalogue {path}: ")
    assert line in str(caught.value)


PATHS = """
[[learning_paths]]
id = "p1"
slug = "p-one"
name = "P"
client = "nobody"
prerequisite_courses = ["c9"]
prerequisite_learning_paths = ["p9"]
[[learning_paths.milestones]]
id = "m1"
name = "M"
courses = [{ id = "mc1", course = "c9" }]
completion_criteria = [{ id = "k1", type = "award", threshold = 1, award_type = "a9" }]
"""


def test_references_that_lead_nowhere_are_all_named(tmp_path: Path) -> None:
    criteria = (
        'completion_criteria = [{ type = "courseTopicViewed", required = ["t9"] },\n'
        '  { type = "courseMeetingAttended", required = ["t1"] }]\naward_type = "a9"\n'
    )
    text = GOOD.replace('title = "One"\n', f'title = "One"\n{criteria}') + PATHS
    with pytest.raises(ConfigError) as caught:
        load_catalogue(write(tmp_path, text))
    assert [line.split(": ", 1)[1] for line in str(caught.value).splitlines()] == [
        "courses[0].award_type: there is no award type 'a9'",
        "courses[0].completion_criteria[0].required: there is no topic of this course 't9'",
        "courses[0].completion_criteria[1].required: there is no meeting of this course 't1'",
        "learning_paths[0].client: there is no client 'nobody'",
        "learning_paths[0].prerequisite_courses: there is no course 'c9'",
        "learning_paths[0].prerequisite_learning_paths: there is no learning path 'p9'",
        "learning_paths[0].milestones[0].courses[0].course: there is no course 'c9'",
        (
            "learning_paths[0].milestones[0].completion_criteria[0].award_type: "
            "there is no award type 'a9'"
        ),
    ]


@pytest.mark.parametrize(
    ("criterion", "words"),
    [
        ('{ type = "courseTopicViewed" }', "courseTopicViewed needs required"),
        ('{ type = "coursePercentViewed", required = ["t1"] }', "takes percent, not required"),
        ('{ type = "coursePercentViewed", percent = 0 }', "greater than or equal to 1"),
    ],
)
def test_a_criterion_says_what_it_counts(tmp_path: Path, criterion: str, words: str) -> None:
    criteria = f'title = "One"\ncompletion_criteria = [{criterion}]\n'
    with pytest.raises(ConfigError, match=words):
        load_catalogue(write(tmp_path, GOOD.replace('title = "One"\n', criteria)))


def test_all_mistakes_are_named_at_once_and_passwords_are_not_shown(tmp_path: Path) -> None:
    text = GOOD.replace('"pass-word"', "12345").replace('"text"', '"x"').replace('"l1"', "1")
    with pytest.raises(ConfigError) as caught:
        load_catalogue(write(tmp_path, text))
    lines = str(caught.value).splitlines()
    assert len(lines) == 3
    assert "12345" not in str(caught.value)


def test_names_used_twice_are_all_named(tmp_path: Path) -> None:
    again = GOOD + GOOD.replace('"u1"', '"u2"').replace('"t2"', '"t3"')
    with pytest.raises(ConfigError) as caught:
        load_catalogue(write(tmp_path, again))
    keys = [line.split(": ")[1] for line in str(caught.value).splitlines()]
    assert keys == [
        "learners[1].email",
        "courses[1].id",
        "courses[1].slug",
        "courses[1].lessons[0].id",
        "courses[1].lessons[0].topics[0].id",
    ]


def test_a_file_that_is_no_toml_or_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"is not valid TOML: .*line 2"):
        load_catalogue(write(tmp_path, "courses = []\nlearners = 1 2"))
    with pytest.raises(ConfigError, match="can't be read"):
        load_catalogue(tmp_path / "nowhere.toml")
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="is UTF-16 text; save it as UTF-8"):
        load_catalogue(binary)
