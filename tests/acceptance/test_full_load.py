"""Three replicas share one quota: two minutes of what `make soak` does for ten."""

from __future__ import annotations

from pathlib import Path

import pytest

from demo.broker import Broker
from demo.database import Database
from tests.support.databases import a_database
from tests.support.full_load import full_load


@pytest.mark.timeout(1_800)  # it is measured again while other programs have the processors
def test_three_replicas_use_97_percent_of_the_quota_and_get_no_429(
    tmp_path: Path, broker: Broker, database: Database
) -> None:
    with a_database(database) as store:
        load = full_load(tmp_path, store, broker.bootstrap, seconds=120)
    assert load.holds, f"{load}\n{load.wrong[:9]}"
