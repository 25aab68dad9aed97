"""The limit of open files, raised to what the allowed connections need."""

from __future__ import annotations

import resource

import pytest
from structlog.testing import capture_logs

from pointsman.open_files import allow_connections

ENDLESS = resource.RLIM_INFINITY


@pytest.mark.parametrize(
    ("limits", "raised_to", "room"),
    [
        ((1_024, 1_048_576), 4_256, 4_000),
        ((1_024, ENDLESS), 4_256, 4_000),
        ((4_256, 4_256), None, 4_000),
        ((ENDLESS, ENDLESS), None, 4_000),
        ((1_024, 2_048), 2_048, 1_792),
        ((1_024, 1_024), None, 768),
        ((64, 64), None, 1),
    ],
)
def test_it_is_raised_as_far_as_the_system_allows_and_what_is_missing_is_said(
    monkeypatch: pytest.MonkeyPatch,
    limits: tuple[int, int],
    raised_to: int | None,
    room: int,
) -> None:
    raised: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _what: limits)
    monkeypatch.setattr(resource, "setrlimit", lambda _what, new: raised.append(new))
    with capture_logs() as lines:
        assert allow_connections(4_000) == room
    assert raised == ([] if raised_to is None else [(raised_to, limits[1])])
    assert [line["connections"] for line in lines] == ([] if room == 4_000 else [room])
