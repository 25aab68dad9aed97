"""The contract suite of the stores bites: each fault that is planted in them makes it fail."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from demo.database import Database
from tests.support.planted_faults import FAULTS

_SUITE = Path(__file__).parents[1] / "contract"
#: what is about leases, merging and positions comes first, and then all the rest
_FIRST = [
    _SUITE / f"test_store_{name}.py" for name in ("leases", "evidence", "audit", "operations")
]
FILES = list(dict.fromkeys([*_FIRST, *sorted(_SUITE.glob("test_*.py"))]))


@pytest.mark.parametrize("store", ["sqlite", "postgresql"])
@pytest.mark.parametrize("fault", FAULTS)
def test_the_contract_suite_notices_a_planted_fault(
    fault: str, store: str, database: Database
) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-x", "-p", "tests.support.planted_faults"),
            *("-k", f"{store}]", "-p", "no:cacheprovider", *map(str, FILES)),
        ],
        env={**os.environ, "POINTSMAN_PLANT": fault, "POINTSMAN_TEST_POSTGRES": database.dsn},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1, done.stdout[-3000:]
