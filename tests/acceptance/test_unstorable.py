"""Inputs that the database can't hold, and databases that can't hold every input."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import aiohttp

from demo.database import Database, Server
from demo.processes import PATIENCE
from tests.support.daemon_fleet import HEADERS, a_fleet
from tests.support.postgres_servers import execute

CONTENT = "https://elsewhere.example.com"
#: a typographic quote
QUOTE = "\u2019"
MADE = """
CREATE FUNCTION narrow_{table}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF NEW.{column} LIKE '%{quote}%' THEN
        RAISE EXCEPTION 'character with byte sequence 0xe2 0x80 0x99 has no equivalent'
            USING ERRCODE = '22P05';
    END IF;
    RETURN NEW;
END $$
"""
USED = """
CREATE TRIGGER narrow BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION narrow_{table}()
"""


def narrow(table: str, column: str) -> list[str]:
    """Makes a table that can't hold a typographic quote, as one in LATIN1 can't."""
    return [part.format(table=table, column=column, quote=QUOTE) for part in (MADE, USED)]


def said(activity: str) -> dict[str, Any]:
    return {
        "id": str(uuid.uuid4()),
        "actor": {"mbox": "mailto:l0@example.com"},
        "verb": {"id": "http://adlnet.gov/expapi/verbs/completed"},
        "object": {"id": f"{CONTENT}/{activity}"},
    }


def test_an_input_that_the_database_can_not_hold_is_refused_and_no_other(
    tmp_path: Path, own_database_server: Server
) -> None:
    server = own_database_server
    with a_fleet(tmp_path, 1, store=server.dsn) as fleet:

        async def run() -> None:
            replica = fleet.add()
            await fleet.ready(replica)
            for table, column in (("unmatched", "activity"), ("documents", "name")):
                await execute(server.dsn, *narrow(table, column))
            async with aiohttp.ClientSession(replica.url, headers=HEADERS) as session:

                async def post(activity: str) -> int:
                    async with session.post("/xapi/statements", json=said(activity)) as answer:
                        assert answer.status == 200 or "can't hold this" in await answer.text()
                        return answer.status

                async def put(name: str) -> int:
                    agent = json.dumps(said("a")["actor"])
                    where = {"activityId": CONTENT, "agent": agent, "stateId": name}
                    async with session.put(
                        "/xapi/activities/state", params=where, data=b"x"
                    ) as answer:
                        return answer.status

                assert await asyncio.gather(*map(post, ["a", f"it{QUOTE}s", "b"])) == [
                    200,
                    400,
                    200,
                ]
                assert [await put("plain"), await put(f"it{QUOTE}s")] == [204, 400]
                async with session.get("/readyz") as answer:
                    assert answer.status == 200
            lines = [json.dumps(said(activity)) for activity in ("c", f"it{QUOTE}s", "d")]
            (tmp_path / "history.ndjson").write_text("\n".join(lines))

        asyncio.run(run())
        config = str(fleet.replicas[0].config)
        command = ["import", str(tmp_path / "history.ndjson"), "--config", config]
        done = subprocess.run(
            [sys.executable, "-m", "pointsman", *command],
            capture_output=True,
            check=False,
            text=True,
        )
        assert (done.returncode, "2 unmatched, 1 dead" in done.stdout) == (1, True), done
        books = fleet.verify()
        assert (books["balanced"], books["inputs"]["accepted"]) == (True, 5)


def test_a_database_of_another_encoding_ends_the_start_with_its_name(
    tmp_path: Path, database: Database
) -> None:
    """Case 35."""
    name = f"narrow_{uuid.uuid4().hex[:8]}"
    made = f"CREATE DATABASE {name} ENCODING 'LATIN1' TEMPLATE template0 LOCALE 'C'"
    asyncio.run(execute(database.dsn, made))
    try:
        store = f"{database.dsn.rpartition('/')[0]}/{name}"
        with a_fleet(tmp_path, 1, store=store) as fleet:
            replica = fleet.add()
            assert replica.process.wait(PATIENCE) == 2
            assert f"store.url: the database {name} has the encoding LATIN1" in (
                replica.log.read_text()
            )
    finally:
        asyncio.run(execute(database.dsn, f"DROP DATABASE {name} WITH (FORCE)"))
