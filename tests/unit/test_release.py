"""One version, wherever it is named; and what a release makes of the files that name it."""

from __future__ import annotations

import datetime as dt
import re
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.release import CHANGELOG, PLACES, UPGRADING, release
from pointsman import __version__
from pointsman.cli import app

ROOT = Path(__file__).parents[2]
TEXTS = {path: (ROOT / path).read_text() for path in (*PLACES, CHANGELOG, UPGRADING)}
DAY = dt.date(2027, 1, 2)
NEXT = "9.8.7"


def test_the_version_is_the_same_wherever_it_is_named() -> None:
    shown = CliRunner().invoke(app, ["--version"]).output
    assert shown.split()[:2] == ["pointsman", __version__]
    assert f"\n## [{__version__}]" in TEXTS[CHANGELOG]
    for path, patterns in PLACES.items():
        for pattern in patterns:
            assert pattern.format(__version__) in TEXTS[path], path


def test_a_commit_that_is_tagged_has_the_tag_s_version() -> None:
    tags = subprocess.run(
        ["git", "tag", "--points-at", "HEAD"],  # noqa: S607 - git of the PATH
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.split()
    versions = [tag for tag in tags if re.fullmatch(r"v\d.*", tag)]
    assert versions in ([], [f"v{__version__}"])


def test_every_released_version_says_what_an_upgrade_to_it_takes() -> None:
    released = re.findall(r"^## \[(\d[^\]]*)\] - (?!unreleased)", TEXTS[CHANGELOG], re.MULTILINE)
    notes = re.findall(r"^## To (\S+)$", TEXTS[UPGRADING], re.MULTILINE)
    assert notes == released


def test_a_release_names_the_new_version_everywhere_and_opens_the_next_one() -> None:
    made = release(TEXTS, __version__, NEXT, DAY)
    for path, patterns in PLACES.items():
        for pattern in patterns:
            assert pattern.format(NEXT) in made[path]
            assert pattern.format(__version__) not in made[path]
    assert f"## [Unreleased]\n\n## [{NEXT}] - 2027-01-02\n\n### " in made[CHANGELOG]
    assert f"## Unreleased\n\nNothing has to be done.\n\n## To {NEXT}\n" in made[UPGRADING]
    # nothing but that is changed
    assert made[CHANGELOG].replace(f"\n## [{NEXT}] - 2027-01-02\n", "") == TEXTS[CHANGELOG]


@pytest.mark.parametrize(
    ("version", "change", "words"),
    [
        ("1.0", {}, "three numbers"),
        ("v1.0.0", {}, "three numbers"),
        ("0.0.1", {}, "is older than"),
        (NEXT, {"Dockerfile": "FROM x"}, "Dockerfile does not name"),
        (NEXT, {CHANGELOG: "## [Unreleased]\n\n## [0.1.0] - x\n"}, "nothing under"),
        (NEXT, {CHANGELOG: f"## [Unreleased]\n- a\n\n## [{NEXT}] - x\n"}, "already"),
        (NEXT, {UPGRADING: "# Upgrading\n"}, "what has to be done"),
    ],
)
def test_a_release_that_can_t_be_right_is_refused(
    version: str, change: dict[str, str], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        release({**TEXTS, **change}, __version__, version, DAY)
