"""The table of target kinds: every kind has its row, and what the rows say."""

from __future__ import annotations

import runpy
from enum import StrEnum
from itertools import pairwise
from pathlib import Path

import pytest

from pointsman.domain import target_kinds, targets
from pointsman.domain.errors import Bug
from pointsman.domain.target_kinds import NAMING_SETTINGS
from pointsman.domain.targets import Target, TargetKind, Value, is_completion, is_further, rank
from pointsman.platforms.helium import fields

RISING: dict[TargetKind, list[Value]] = {
    TargetKind.TOPIC_PROGRESS: [0, 1, 99, 100],
    TargetKind.COURSE_STATUS: ["started", "not-completed", "completed"],
    TargetKind.LEARNING_PATH_ACCESS: ["not-started", "started", "not-completed"],
    TargetKind.MEETING_ATTENDANCE: ["not-attended", "attended"],
    TargetKind.COURSE_ARCHIVED: ["active", "archived"],
    TargetKind.LEARNING_PATH_ARCHIVED: ["active", "archived"],
}


@pytest.mark.parametrize("kind", TargetKind)
def test_values_rise_in_this_order(kind: TargetKind) -> None:
    target = Target(kind, "k")
    for low, high in pairwise(RISING[kind]):
        assert rank(target, low) < rank(target, high)
        assert is_further(target, high, low)
        assert not is_further(target, low, high)
        assert not is_further(target, low, low)


def test_only_completions_go_first() -> None:
    completions = {
        (kind, value)
        for kind, values in RISING.items()
        for value in values
        if is_completion(Target(kind, "k"), value)
    }
    assert completions == {
        (TargetKind.TOPIC_PROGRESS, 100),
        (TargetKind.COURSE_STATUS, "completed"),
        (TargetKind.MEETING_ATTENDANCE, "attended"),
    }


def test_a_kind_without_a_row_fails_at_import(tmp_path: Path) -> None:
    source = Path(target_kinds.__file__).read_text()
    more = tmp_path / "target_kinds.py"
    more.write_text(
        source.replace(
            "class TargetKind(StrEnum):", "class TargetKind(StrEnum):\n    BADGE = 'badge'"
        )
    )
    with pytest.raises(Bug, match="has no row for the TargetKind badge"):
        runpy.run_path(str(more))


def test_a_kind_without_a_mutation_fails_at_import(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {kind.name: kind.value for kind in TargetKind}
    more = StrEnum("TargetKind", {**known, "BADGE": "badge"})  # type: ignore[misc]
    monkeypatch.setattr(targets, "TargetKind", more)
    with pytest.raises(Bug, match=r"helium/fields\.py has no row for the TargetKind badge"):
        runpy.run_path(fields.__file__)


def test_each_setting_names_one_kind() -> None:
    assert len(set(NAMING_SETTINGS)) == len(NAMING_SETTINGS)
