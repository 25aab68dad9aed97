"""What can't be seen, and may be a command to a terminal, is shown as an escape."""

from __future__ import annotations

import pytest

from pointsman.domain.visible_text import visible


@pytest.mark.parametrize(
    ("text", "keep", "shown"),
    [
        ("as it is, \u00e9\u4e2d", "", "as it is, \u00e9\u4e2d"),
        ("a\nb", "", "a\\nb"),
        ("a\nb\x1b[2J", "\n", "a\nb\\x1b[2J"),
        ("\x9b2J", "", "\\x9b2J"),
        ("\u202ex", "", "\\u202ex"),
        ("\ud800", "", "\\ud800"),
    ],
)
def test_each_character_can_be_seen(text: str, keep: str, shown: str) -> None:
    assert visible(text, keep) == shown
