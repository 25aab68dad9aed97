"""How many files a reader opens to follow a POST from the socket to the commit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.code_path import files_executed
from tests.support.http_endpoint import running
from tests.support.xapi_factory import statement


#: What a rule takes goes through the rest of mapping/, and is merged into desired state. Which rule
#: takes an activity is remembered, so its first statement passes more files than those that follow.
@pytest.mark.parametrize(
    ("changes", "first", "most"),
    [
        pytest.param(
            {"object": {"id": "http://elsewhere.example.com/x"}}, True, 31, id="no rule, first"
        ),
        pytest.param({"object": {"id": "http://elsewhere.example.com/x"}}, False, 27, id="no rule"),
        pytest.param(
            {"object": {"id": "http://example.com/course/2"}}, True, 40, id="a rule, first"
        ),
        pytest.param({"object": {"id": "http://example.com/course/2"}}, False, 34, id="a rule"),
    ],
)
async def test_a_plain_post_passes_few_files_between_the_socket_and_the_commit(
    tmp_path: Path, changes: dict[str, Any], first: bool, most: int
) -> None:
    at_commit: list[set[str]] = []
    with files_executed() as files:

        def on_commit(_seconds: float, _submissions: int) -> None:
            at_commit.append(set(files))

        async with running(tmp_path, on_commit=on_commit) as endpoint:
            await endpoint.post(statement())
            if not first:
                await endpoint.post(statement(**changes))
            files.clear()
            at_commit.clear()
            await endpoint.post(statement(**changes))
    path = sorted(at_commit[0])
    print(f"{len(path)} files: {', '.join(path)}")  # noqa: T201 - shown when it fails, or with -s
    assert len(path) <= most
