"""For any two launches, no request with one's credentials changes or shows what is the other's.

Every route of the table is tried, with every method and with parameters drawn from the table of
resources. A new route fails here until the table of expectations says what it may answer.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import uuid
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from yarl import URL

from pointsman.sources import pipeline
from pointsman.sources.http.lrs import endpoint, get_statements
from pointsman.sources.http.routes import ROUTES, XAPI
from tests.support.launch_attacks import EXPECTED, Attack, Holdings, attacks, unexpected_routes
from tests.support.launch_client import ANA, BEN, COURSE, Launching, launching
from tests.support.scorm_sessions import take
from tests.support.thoroughness import thorough

OTHER = "https://content.example.com/other"
#: in all that is the others', and in no request
MARK = "belongs-to-somebody-else"
MORE = """
[launches.limits]
requests_per_second = 10_000
[[rules]]
activity = "https://content.example.com/{topic}"
topic_id = "{topic}"
[[sources.webhooks]]
name = "lms"
secret = "9c1f6c5d0e6b4b0f8f7a2d3e4c5b6a79"
signature = { header = "X-Signature", format = "hex" }
learner = "email"
activity = "https://lms.example.com/{course}"
[[sources.scorm_cloud]]
name = "scorm-cloud"
username = "pointsman"
password = "41d0a1f2c3b4958677a6b5c4d3e2f1a0"
"""
_AT_ONCE, _GOES = 20, thorough(400, otherwise=30)


@dataclass(slots=True)
class Others:
    """Two learners' launches; ana attacks with the first ones, the rest is not hers."""

    world: Launching
    ours: dict[str, dict[str, Any]] = field(default_factory=dict)
    theirs: list[dict[str, Any]] = field(default_factory=list)
    statements: list[str] = field(default_factory=list)

    async def prepare(self) -> None:
        self.ours = {kind: await self.world.launch(kind=kind) for kind in ("xapi", "cmi5", "scorm")}
        self.ours["cmi5"]["authorization"] = await self._fetch(self.ours["cmi5"])
        for learner, activity in ((BEN, COURSE), (BEN, OTHER), (ANA, COURSE), (ANA, OTHER)):
            for kind in ("xapi", "cmi5", "scorm"):
                launch = await self.world.launch(learner=learner, activity=activity, kind=kind)
                launch |= {"learner": learner, "kind": kind}
                self.theirs.append(launch)
                await self._use(launch)
        # another session's credential, which nobody has fetched yet
        self.theirs.append(await self.world.launch(learner=BEN, kind="cmi5"))

    async def _use(self, launch: dict[str, Any]) -> None:
        """Leave behind what only this launch may see."""
        if launch["kind"] == "scorm":
            core = {"lesson_status": "incomplete"}
            await take(self.world, launch, {"cmi": {"core": core, "suspend_data": MARK}})
            return
        if launch["kind"] == "cmi5":
            launch["authorization"] = await self._fetch(launch)
        agent, registration = json.dumps(launch["actor"]), launch["registration"]
        key = {"activityId": launch["activity"], "agent": agent}
        of_launch = {**key, "registration": registration}
        documents = [("activities/state", {**of_launch, "stateId": "s"})]
        if launch["learner"] != ANA:
            documents += [
                ("activities/state", {**of_launch, "stateId": f"hidden {MARK}"}),
                ("activities/state", {**key, "stateId": "s"}),
                ("agents/profile", {"agent": agent, "profileId": "s"}),
            ]
            statement = {"result": {"response": MARK}}
            status, body = await self.world.say(
                launch, "experienced", launch["activity"], **statement
            )
            assert status == 200, body
            self.statements += json.loads(body)
        for path, params in documents:
            status, _ = await self.world.send(
                launch,
                "PUT",
                f"/xapi/{path}",
                params=params,
                data=MARK,
                headers={"If-None-Match": "*"} if "profile" in path else {},
            )
            assert status in {204, 412}  # a profile is there from the first launch

    async def _fetch(self, launch: dict[str, Any]) -> str:
        async with self.world.run.session.post(launch["fetchUrl"]) as answer:
            return f"Basic {(await answer.json())['auth-token']}"

    def holdings(self) -> Holdings:
        ours = list(self.ours.values())
        fetch = self.ours["cmi5"]["fetchUrl"].rpartition("/")[2]
        commit = self.ours["scorm"]["commitUrl"].split("/")[-2]
        agents = [launch["actor"] for launch in (self.ours["xapi"], *self.theirs)]
        group = {"objectType": "Group", "member": [agents[-1]]}
        written_otherwise = {"mbox": f"mailto:{BEN.upper()}"}
        return Holdings(
            (self.ours["xapi"]["authorization"], self.ours["cmi5"]["authorization"]),
            (fetch, commit, self.ours["xapi"]["credential"]),
            (*_different(agents), group, written_otherwise),
            (COURSE, f"{COURSE}/page", OTHER, f"{COURSE}/../other", "https://content.example.com"),
            tuple(launch["registration"] for launch in (*ours, *self.theirs)),
            (*self.statements, str(uuid.uuid4())),
        )

    async def snapshot(self) -> tuple[Any, ...]:
        """All that is theirs: documents, desired state, statements."""
        registrations = {launch["registration"] for launch in self.theirs}

        def is_theirs(row: tuple[Any, ...]) -> bool:
            # by the key, for what the attacker says may name anybody
            text = " ".join(part for part in row if isinstance(part, str)).lower()
            return BEN in text or any(name in text for name in registrations)

        with closing(sqlite3.connect(self.world.run.database)) as db:
            documents = db.execute(
                "SELECT resource, activity, agent, registration, name, content FROM documents "
                "WHERE resource NOT IN ('usage', 'usage_of_day')"
            ).fetchall()
            desired = db.execute("SELECT * FROM desired").fetchall()
        agent = json.dumps({"mbox": f"mailto:{BEN}"})
        searches = [{"agent": agent}, *({"registration": name} for name in sorted(registrations))]
        found = [
            [statement["id"] for statement in page["statements"]]
            for page in [await self._ask(search) for search in searches]
        ]
        return sorted(filter(is_theirs, documents)), sorted(filter(is_theirs, desired)), found

    async def _ask(self, params: dict[str, str]) -> Any:
        return await self.world.run.get(str(URL("/xapi/statements").with_query(params)))

    async def try_one(self, attack: Attack) -> None:
        async with self.world.run.session.request(
            attack.method,
            URL(self.world.url + attack.target, encoded=True),
            headers=attack.headers,
            data=attack.body,
        ) as answer:
            shown = f"{await answer.text()} {dict(answer.headers)}"
        assert answer.status in EXPECTED[attack.route], f"{attack.whole()}: {shown}"
        assert MARK not in shown, f"{attack.whole()}: {shown}"


def _different(agents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return list({json.dumps(agent): agent for agent in agents}.values())


def _attack(goes: int) -> None:
    with TemporaryDirectory() as folder, asyncio.Runner() as runner:
        context = launching(Path(folder), MORE)
        others = Others(runner.run(context.__aenter__()))
        try:
            runner.run(others.prepare())
            runner.run(_settled(others))
            before = runner.run(others.snapshot())
            holdings = others.holdings()
            of_routes = [attacks(holdings, route) for route in ROUTES]
            of_xapi = [attacks(holdings, route) for route in XAPI.values()]
            more = st.lists(st.one_of(*of_xapi), min_size=_AT_ONCE, max_size=_AT_ONCE)
            every_route = st.tuples(*of_routes).map(list)
            every_route = st.tuples(every_route, more).map(lambda drawn: drawn[0] + drawn[1])

            async def all_of(requests: list[Attack]) -> None:
                await asyncio.gather(*map(others.try_one, requests))
                assert await others.snapshot() == before

            @settings(
                max_examples=goes,
                deadline=None,
                suppress_health_check=list(HealthCheck),
                derandomize=True,
                phases=[Phase.generate],
            )
            @given(every_route)
            def try_all(requests: list[Attack]) -> None:
                runner.run(all_of(requests))

            try_all()
            runner.run(_still_theirs(others))
        finally:
            runner.run(context.__aexit__(None, None, None))


async def _settled(others: Others) -> None:
    """What they did themselves has reached the platform."""
    await others.world.run.until(lambda: _dirty(others) == 0)


def _dirty(others: Others) -> int:
    with closing(sqlite3.connect(others.world.run.database)) as db:
        (count,) = db.execute(
            "SELECT count(*) FROM desired WHERE version > delivered_version"
        ).fetchone()
    return int(count)


async def _still_theirs(others: Others) -> None:
    """What others hold opens what it did."""
    unfetched = others.theirs[-1]
    async with others.world.run.session.post(unfetched["fetchUrl"]) as answer:
        assert "auth-token" in await answer.json()
    for launch in others.theirs[:-1]:
        if launch["kind"] == "scorm":
            async with others.world.run.session.get(launch["dataUrl"]) as answer:
                assert MARK in await answer.text()
        else:
            params = {"agent": json.dumps(launch["actor"]), "activityId": launch["activity"]}
            params |= {"stateId": "s", "registration": launch["registration"]}
            answered = await others.world.send(
                launch, "GET", "/xapi/activities/state", params=params
            )
            assert answered == (200, MARK)


def test_every_route_has_its_answer_in_the_table_of_expectations() -> None:
    assert unexpected_routes() == set()


def test_no_request_with_a_launchs_credentials_changes_or_shows_what_is_anothers() -> None:
    _attack(_GOES)


@pytest.mark.parametrize(
    ("module", "name", "hole"),
    [
        (endpoint, "limit_to_launch", lambda _launch, _resource, _method, parameters: parameters),
        (get_statements, "_is_theirs", lambda _call, _stored: True),
        (pipeline, "authorize_statements", lambda _launch, _items: None),
    ],
    ids=["queries", "single statements", "statements"],
)
def test_a_hole_would_be_found(
    monkeypatch: pytest.MonkeyPatch, module: Any, name: str, hole: Callable[..., Awaitable[None]]
) -> None:
    monkeypatch.setattr(module, name, hole)
    with pytest.raises(AssertionError):
        _attack(_GOES)
