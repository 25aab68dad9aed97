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
#: the part of the suite that has to notice each fault
_NOTICED_BY = {
    "merge order": "test_store_ingest.py",
    "dedup": "test_store_operations.py",
    "lease fencing": "test_store_leases.py",
    "offset fencing": "test_store_operations.py",
    "evidence": "test_store_evidence.py",
}


@pytest.mark.parametrize("store", ["sqlite", "postgresql"])
@pytest.mark.parametrize("fault", FAULTS)
def test_the_contract_suite_notices_a_planted_fault(
    fault: str, store: str, database: Database
) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-x", "-p", "tests.support.planted_faults"),
            *("-k", f"{store}]", "-p", "no:cacheprovider", str(_SUITE / _NOTICED_BY[fault])),
        ],
        env={**os.environ, "POINTSMAN_PLANT": fault, "POINTSMAN_TEST_POSTGRES": database.dsn},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1, done.stdout[-3000:]
