"""Two branches that each add a migration must not give it the same number."""

from __future__ import annotations

import pytest

from pointsman.store.migrations import all_of


@pytest.mark.parametrize("package", ["pointsman.store.sqlite", "pointsman.store.postgres"])
def test_migrations_are_numbered_from_one_on_without_a_gap_or_a_repetition(package: str) -> None:
    numbers = [migration.number for migration in all_of(package)]
    assert numbers == list(range(1, len(numbers) + 1))
