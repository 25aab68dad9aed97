"""cmi5 courses from strangers: read with their lines, refused with limits, proposed as rules."""

from __future__ import annotations

import contextlib
import json
import tomllib
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from pointsman.cli import app
from pointsman.config.rules import RuleSettings
from pointsman.courses import launch_activity, launch_request, proposed_rules, read_course
from pointsman.courses.structure import NAMESPACE, AssignableUnit, Block, CourseStructure
from pointsman.courses.xml_elements import parse_xml
from pointsman.domain.errors import InputRefused
from pointsman.mapping import Template
from pointsman.sources.players.launch_request import parse_launch_request

SAMPLE = Path(__file__).parents[1] / "data" / "cmi5" / "cmi5.xml"
PUBLISHER = "https://publisher.example.com/courses/switches"
TEXTS = (
    "<title><langstring>{0}</langstring></title>"
    "<description><langstring>{0}</langstring></description>"
)
COURSE = f'<course id="https://example.com/c">{TEXTS.format("C")}</course>'
UNIT = (
    f'<au id="https://example.com/u">{TEXTS.format("U")}<url>https://example.com/u.html</url></au>'
)
BLOCK = (
    f'<block id="https://example.com/b">{TEXTS.format("B")}{UNIT.replace("com/u", "com/v")}</block>'
)


def structure(*members: str, course: str = COURSE) -> str:
    """Each member in a line of its own, the first in line 3."""
    lines = [f'<courseStructure xmlns="{NAMESPACE}">', course, *members, "</courseStructure>"]
    return "\n".join(lines)


def course_of(tmp_path: Path, text: str | bytes) -> CourseStructure:
    path = tmp_path / "cmi5.xml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_course(path)


def package(tmp_path: Path, files: dict[str, bytes]) -> Path:
    path = tmp_path / "course.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files.items():
            made.writestr(name, content)
    return path


def test_the_sample_is_read_whole() -> None:
    course = read_course(SAMPLE)
    assert (course.id, course.title) == (PUBLISHER, "Setting switches")
    found = [([one.title for one in within], unit) for unit, within in course.units()]
    assert [(place, unit.title) for place, unit in found] == [
        ([], "Welcome"),
        (["Practice"], "By hand"),
        (["Practice", "By wire"], "Relays"),
    ]
    welcome, by_hand, relays = (unit for _, unit in found)
    assert (welcome.move_on, welcome.launch_method) == ("NotApplicable", "AnyWindow")
    assert by_hand == AssignableUnit(
        id=f"{PUBLISHER}/by-hand",
        title="By hand",
        url="by-hand/index.html",
        line=25,
        move_on="Completed",
        launch_method="OwnWindow",
        launch_parameters='{"speed": 1}',
        activity_type="http://adlnet.gov/expapi/activities/simulation",
    )
    assert (relays.mastery_score, relays.entitlement_key) == (0.85, "xyz-123-9999")
    assert relays.url == "https://cdn.example.com/relays/?a=1&b=2"


def test_a_package_has_its_structure_at_the_root(tmp_path: Path) -> None:
    files = {
        "cmi5.xml": SAMPLE.read_bytes(),
        "welcome/index.html": b"",
        "by-hand/index.html": b"",
    }
    assert read_course(package(tmp_path, files)).warnings == ()
    del files["by-hand/index.html"]
    (warning,) = read_course(package(tmp_path, files)).warnings
    assert warning == (
        f"{tmp_path}/course.zip: cmi5.xml, line 25: the url by-hand/index.html is relative, and no "
        "file of the package"
    )


def test_without_a_package_a_relative_url_is_nowhere() -> None:
    assert [warning.rpartition("line ")[2][:2] for warning in read_course(SAMPLE).warnings] == [
        "17",
        "25",
    ]


def test_a_missing_title_is_a_warning(tmp_path: Path) -> None:
    course = course_of(
        tmp_path, structure(UNIT.replace("<title><langstring>U</langstring></title>", ""))
    )
    assert [unit.title for unit, _ in course.units()] == ["https://example.com/u"]
    assert ", line 3: <au> has no title" in course.warnings[0]


BROKEN = [
    ("", "is no XML: no element found"),
    ("<a", "line 1: is no XML"),
    (structure("<au>"), "line 4: is no XML: mismatched tag"),
    ("<manifest/>", "line 1: the root is <manifest>"),
    ("<courseStructure/>", "the root is <courseStructure>, not"),
    (structure(UNIT, course=""), "there is no <course>"),
    (structure(), "nothing can be launched"),
    (structure(UNIT, course="<course/>"), "line 2: <course> has no id"),
    (structure(UNIT, UNIT), "line 4: the id https://example.com/u is in line 3 too"),
    (structure("", UNIT.replace("https://example.com/u", "unit-1", 1)), "line 4: the id 'unit-1'"),
    (
        structure(UNIT.replace("<url>https://example.com/u.html</url>", "")),
        "line 3: <au> has no <url>",
    ),
    (structure(UNIT.replace("https://example.com/u.html", "https://[a")), "line 3: the url"),
    (structure(UNIT.replace("<au ", '<au moveOn="Sometime" ')), "line 3: moveOn is 'Sometime'"),
    (structure(UNIT.replace("<au ", '<au masteryScore="80" ')), "line 3: masteryScore is '80'"),
    (structure(UNIT.replace("<au ", '<au masteryScore="nan" ')), "line 3: masteryScore"),
    (structure(UNIT.replace("<au ", '<au launchMethod="Tab" ')), "line 3: launchMethod"),
]


@pytest.mark.parametrize(("text", "words"), BROKEN)
def test_what_is_wrong_is_named_with_file_and_line(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(InputRefused) as refused:
        course_of(tmp_path, text)
    assert str(refused.value).startswith(f"{tmp_path}/cmi5.xml")
    assert words in str(refused.value)


BOMB = """<?xml version="1.0"?>
<!DOCTYPE lolz [
<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;">
]>
<courseStructure>&c;</courseStructure>"""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (BOMB, "line 2: has a DOCTYPE"),
        (
            '<!DOCTYPE a SYSTEM "file:///etc/passwd"><courseStructure/>',
            "line 1: has a DOCTYPE",
        ),
        ("<a>" * 65, "is nested deeper than 64"),
        ("<a>" + "<b/>" * 100, "has more than 100 elements"),
        (structure(*(UNIT.replace("/u", f"/{n}", 1) for n in range(5_001))), "more than 5000"),
        (b" " * 8_000_001, "is larger than 8,000,000 bytes"),
        ("<a>&undeclared;</a>", "undefined entity"),
        (b"\xff\xfe\x00", "is no XML"),
    ],
)
def test_nothing_grows_beyond_its_limit(
    tmp_path: Path, text: str | bytes, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if words.startswith("has more"):
        monkeypatch.setattr("pointsman.courses.xml_elements._MAX_ELEMENTS", 100)
    with pytest.raises(InputRefused, match=words):
        course_of(tmp_path, text)


def test_a_package_that_is_none_says_why(tmp_path: Path) -> None:
    bomb = package(tmp_path, {"cmi5.xml": b" " * 50_000_000})
    assert bomb.stat().st_size < 100_000
    with pytest.raises(InputRefused, match="larger than 8,000,000"):
        read_course(bomb)
    with pytest.raises(InputRefused, match=r"content/cmi5.xml must be at the root"):
        read_course(package(tmp_path, {"content/cmi5.xml": b"<a/>"}))
    with pytest.raises(InputRefused, match=r"no cmi5.xml"):
        read_course(package(tmp_path, {"imsmanifest.xml": b"<a/>"}))
    with pytest.raises(InputRefused, match="can't be read"):
        read_course(tmp_path / "missing.zip")
    with pytest.raises(InputRefused, match="can't be read"):
        read_course(tmp_path)


def test_a_torn_package_is_no_stack_trace(tmp_path: Path) -> None:
    path = package(tmp_path, {"cmi5.xml": SAMPLE.read_bytes()})
    whole = path.read_bytes()
    for place in range(0, len(whole), 7):
        path.write_bytes(whole[:place] + b"\xff" * 5 + whole[place + 5 :])
        with contextlib.suppress(InputRefused):
            read_course(path)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    with contextlib.suppress(InputRefused):
        parse_xml(content, "x")


def test_the_proposed_rules_are_rules_and_take_what_is_launched() -> None:
    course = read_course(SAMPLE)
    proposed = tomllib.loads(proposed_rules(course))["rules"]
    made = [RuleSettings.model_validate(rule) for rule in proposed]
    units = [unit for unit, _ in course.units()]
    for number, (rule, unit) in enumerate(zip(made, units, strict=True), start=1):
        assert Template(rule.activity).match(launch_activity(unit.id)) == {}
        assert rule.topic_id == f"TOPIC-ID-{number}"
    commented = proposed_rules(course).replace("\n# [[rules]]", "\n[[rules]]")
    assert "switches/by-wire" in commented


def test_an_activity_is_never_the_publishers_own_id() -> None:
    for publisher in ("https://example.com/a", "https://example.com/a#b", "urn:uuid:1"):
        assert launch_activity(publisher) not in {publisher, launch_activity(f"{publisher}2")}
    assert launch_activity("https://example.com/{a}") == "https://example.com/%7Ba%7D#au"


def test_the_proposed_launches_are_taken_as_they_are() -> None:
    for unit, _ in read_course(SAMPLE).units():
        asked = parse_launch_request(json.dumps(launch_request(unit)).encode())
        assert asked.activity == launch_activity(unit.id)
        assert asked.move_on == unit.move_on
        assert asked.definition == {"name": {"und": unit.title}}


TITLES = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@given(TITLES, TITLES)
def test_no_title_breaks_out_of_its_comment(course: str, unit: str) -> None:
    one = AssignableUnit("https://example.com/u", unit, "https://example.com/", 1)
    block = Block("https://example.com/b", course, 1, (one,))
    (rule,) = tomllib.loads(
        proposed_rules(CourseStructure("https://example.com/c", course, (block,)))
    )["rules"]
    assert rule["activity"] == "https://example.com/u#au"


def test_the_command_shows_the_course_the_rules_and_the_launches() -> None:
    shown = CliRunner().invoke(app, ["cmi5", "import", str(SAMPLE)])
    assert shown.exit_code == 0, shown.output
    assert "      Relays  https://publisher.example.com/courses/switches/{relays}" in shown.stdout
    assert "        masteryScore: 0.85" in shown.stdout
    assert 'topic_id = "TOPIC-ID-3"' in shown.stdout
    assert '"learner": "LEARNER"' in shown.stdout
    assert "warning: " in shown.stderr


def test_the_command_speaks_json() -> None:
    shown = CliRunner().invoke(app, ["cmi5", "import", str(SAMPLE), "--json"])
    found = json.loads(shown.stdout)
    assert found["course"]["members"][1]["members"][0]["moveOn"] == "Completed"
    assert len(found["launches"]) == 3
    assert len(tomllib.loads(found["rules"])["rules"]) == 3


def test_the_command_ends_with_2_for_what_is_no_course(tmp_path: Path) -> None:
    path = tmp_path / "x.xml"
    path.write_text("<a/>")
    shown = CliRunner().invoke(app, ["cmi5", "import", str(path)])
    assert shown.exit_code == 2
    assert "line 1: the root is <a>" in shown.stderr


OBJECTIVE = f'<objective id="https://example.com/o">{TEXTS.format("O")}</objective>'


@pytest.mark.parametrize(
    "url",
    [
        "http://cdn.example.com index.html",
        "https://cdn.example.com/a b.html",
        "https:///index.html",
        "https:index.html",
        "https://cdn.example.com:port/",
        "ftp://cdn.example.com/index.html",
        "javascript:alert(1)",
        "https://cdn.example.com/<au>",
        # the launch adds these
        "https://cdn.example.com/index.html?endpoint=https://lrs.example.com/",
        "https://cdn.example.com/index.html?a=1&amp;fetch=",
    ],
)
def test_a_url_that_no_browser_opens_is_refused_with_its_line(tmp_path: Path, url: str) -> None:
    written = url.replace("<", "&lt;")
    unit = UNIT.replace("https://example.com/u.html", written)
    with pytest.raises(InputRefused, match="line 3: the url"):
        course_of(tmp_path, structure(unit))


@pytest.mark.parametrize(
    ("objectives", "words"),
    [
        (OBJECTIVE * 2, "the id https://example.com/o is in line"),
        (OBJECTIVE.replace("com/o", "com/u"), "the id https://example.com/u is in line 3 too"),
        ('<objective id="o"/>', "the objective's id 'o' is no absolute IRI"),
    ],
)
def test_objectives_that_are_not_unique_are_a_warning_and_an_error_where_strict(
    tmp_path: Path, objectives: str, words: str
) -> None:
    separated = objectives.replace("</objective><", "</objective>\n<")
    path = tmp_path / "cmi5.xml"
    path.write_text(structure(UNIT, f"<objectives>{separated}</objectives>"))
    assert any(words in warning for warning in read_course(path).warnings)
    assert CliRunner().invoke(app, ["cmi5", "import", str(path)]).exit_code == 0
    strict = CliRunner().invoke(app, ["cmi5", "import", "--strict", str(path)])
    assert strict.exit_code == 2
    assert words in strict.stderr


@pytest.mark.parametrize(
    "members",
    [
        UNIT * 2,
        BLOCK * 2,
        BLOCK + UNIT.replace("com/u", "com/b"),
        UNIT + BLOCK.replace("com/v", "com/u"),
    ],
)
@pytest.mark.parametrize("between", ["><", ">\n<"])
def test_an_id_that_stands_twice_is_refused_also_where_all_is_in_one_line(
    tmp_path: Path, members: str, between: str
) -> None:
    with pytest.raises(InputRefused, match="is in line 3 too"):
        course_of(tmp_path, structure(members.replace("><", between)))


def test_objectives_that_are_not_unique_are_a_warning_in_one_line_too(tmp_path: Path) -> None:
    objectives = f"<objectives>{OBJECTIVE * 2}</objectives>"
    (warning,) = course_of(tmp_path, structure(UNIT + objectives).replace("\n", "")).warnings[:1]
    assert "the id https://example.com/o is in line 1 too" in warning


def test_a_relative_url_outside_a_package_is_an_error_where_strict(tmp_path: Path) -> None:
    path = tmp_path / "cmi5.xml"
    path.write_text(structure(UNIT.replace("https://example.com/u.html", "u.html")))
    strict = CliRunner().invoke(app, ["cmi5", "import", "--strict", str(path)])
    assert strict.exit_code == 2
    assert "line 3: the url u.html is relative" in strict.stderr


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (
            UNIT.replace("<title>", "<url>https://example.com/u.html</url><title>", 1),
            "in <au>, <title> comes before <url>",
        ),
        (UNIT.replace("<description>", "<x>").replace("</description>", "</x>"), "no <x>"),
        (UNIT.replace("<url>", f"{TEXTS.format('U')}<url>"), "holds one <title>"),
        (UNIT.replace("<langstring>U</langstring>", "U"), "<title> has no <langstring>"),
        (f"{UNIT}<objectives>{OBJECTIVE}</objectives>", "<objectives> comes before <au>"),
        (f"<objectives/>{UNIT}", "<objectives> has no <objective>"),
    ],
)
def test_what_departs_from_the_schema_is_a_warning_and_an_error_where_strict(
    tmp_path: Path, wrong: str, words: str
) -> None:
    path = tmp_path / "cmi5.xml"
    path.write_text(structure(wrong))
    assert any(words in warning for warning in read_course(path).warnings)
    assert CliRunner().invoke(app, ["cmi5", "import", str(path)]).exit_code == 0
    strict = CliRunner().invoke(app, ["cmi5", "import", "--strict", str(path)])
    assert (strict.exit_code, words in strict.stderr) == (2, True)


def test_what_others_add_to_the_schema_is_fine_where_strict(tmp_path: Path) -> None:
    path = tmp_path / "cmi5.xml"
    added = '<x xmlns="https://example.com/other"/>'
    path.write_text(structure(UNIT.replace("</au>", f"{added}</au>"), added))
    shown = CliRunner().invoke(app, ["cmi5", "import", "--strict", str(path)])
    assert shown.exit_code == 0, shown.stderr


def test_a_thousand_units_and_a_zip64_are_taken(tmp_path: Path) -> None:
    units = [UNIT.replace("com/u", f"com/u{number}") for number in range(1, 1_001)]
    content = structure(*units).encode()
    path = tmp_path / "course.zip"
    with (
        zipfile.ZipFile(path, "w") as made,
        made.open(zipfile.ZipInfo("cmi5.xml"), "w", force_zip64=True) as entry,
    ):
        entry.write(content)
    course = read_course(path)
    assert len(list(course.units())) == 1_000
    assert course.warnings == ()


def test_a_sound_course_is_fine_where_strict(tmp_path: Path) -> None:
    path = tmp_path / "cmi5.xml"
    path.write_text(structure(f"<objectives>{OBJECTIVE}</objectives>", UNIT))
    assert CliRunner().invoke(app, ["cmi5", "import", "--strict", str(path)]).exit_code == 0


@pytest.mark.parametrize(
    "url", ["content/index.html", "content\\index.html", "./content/index.html"]
)
@pytest.mark.parametrize("entry", ["content/index.html", "content\\index.html"])
def test_files_that_windows_wrote_are_found(tmp_path: Path, url: str, entry: str) -> None:
    text = structure(UNIT.replace("https://example.com/u.html", url))
    files = {"cmi5.xml": text.encode(), entry: b"<!doctype html>"}
    assert read_course(package(tmp_path, files)).warnings == ()
