"""The pages that only show something: each reads the store and hands it to its template."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping

from aiohttp import web

from pointsman import wiring
from pointsman.config import Settings
from pointsman.domain.clock import Clock
from pointsman.domain.desired_state import Desired
from pointsman.domain.operator_actions import ActionKind
from pointsman.domain.park_codes import ParkCode
from pointsman.domain.target_kinds import TargetKind
from pointsman.mapping.proposals import propose_rules
from pointsman.mapping.rule_finder import RuleFinder
from pointsman.operator_page.access import User
from pointsman.operator_page.choices import choice
from pointsman.operator_page.jobs import Jobs
from pointsman.operator_page.overview import Overview
from pointsman.operator_page.shown import Shown
from pointsman.store.base import Store
from pointsman.story import Question
from pointsman.telemetry.next_steps import OF_PARK_CODE
from pointsman.wiring.mapping import rules

#: rows of a list
MOST = 200
_EVENTS = 60
#: characters of a dead letter's body
_MOST_BODY = 20_000
_LETTER = re.compile(r"[0-9]{1,15}")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class Views:
    """One method a page."""

    def __init__(
        self, settings: Settings, store: Store, clock: Clock, overview: Overview, jobs: Jobs
    ) -> None:
        self._settings = settings
        self._store = store
        self._clock = clock
        self._overview = overview
        self._jobs = jobs

    def reconfigure(self, settings: Settings) -> None:
        """Show what these settings mean from now on."""
        self._settings = settings

    async def home(self, _request: web.Request, _user: User) -> Shown:
        return Shown("home.html", {"now": await self._overview.numbers()})

    async def story(self, request: web.Request, _user: User) -> Shown:
        """Of what the search box was asked for, or of a link's parameters."""
        asked = question_of(request.query)
        if asked is None:
            return Shown("story.html", {"story": None, "asked": "", "learners": []})
        text = request.query.get("q", "").strip()
        if asked.course and not asked.learner:
            states = await self._store.states_of_course(asked.course, limit=MOST)
            return Shown("course.html", {"course": asked.course, "states": states, "asked": text})
        teller = wiring.teller(self._settings, self._store, self._clock)
        story = await teller.tell(asked, limit=_EVENTS)
        return Shown("story.html", {"story": story, "asked": text or asked.learner})

    async def parked(self, request: web.Request, _user: User, notice: str = "") -> Shown:
        """By reason; of one code where the address says so."""
        code = choice(ParkCode, request.query.get("code", ""), "reason")
        codes = [] if code is None else [code]
        states = await self._store.parked(codes=codes, limit=MOST + 1)
        groups: defaultdict[ParkCode, list[Desired]] = defaultdict(list)
        for state in states[:MOST]:
            groups[state.park_code or ParkCode.UNKNOWN].append(state)
        context = {
            "groups": groups,
            "cures": OF_PARK_CODE,
            "more": len(states) > MOST,
            "notice": notice,
        }
        return Shown("parked.html", context)

    async def letters(
        self,
        request: web.Request,
        _user: User,
        notice: str = "",
        tried: Mapping[int, str] | None = None,
    ) -> Shown:
        """The list; with `number` in the address that one whole. `tried` are results of a try."""
        letters = await self._store.dead_letters(limit=MOST + 1)
        number = letter_number(request.query)
        whole = None if number is None else await self._store.dead_letter(number)
        body = "" if whole is None else whole.body[:_MOST_BODY].decode("utf-8", "backslashreplace")
        context = {
            "letters": letters[:MOST],
            "more": len(letters) > MOST,
            "whole": whole,
            "body": body,
            "tried": tried or {},
            "notice": notice,
        }
        return Shown("letters.html", context)

    async def unmatched(self, _request: web.Request, _user: User) -> Shown:
        rows = await self._store.unmatched(limit=MOST + 1)
        known = rules(self._settings)
        near_miss = RuleFinder(known).near_miss
        context = {
            "rows": rows[:MOST],
            "more": len(rows) > MOST,
            "near": {row.activity: near_miss(row.activity) for row in rows},
            "proposals": propose_rules((row.activity for row in rows), known),
        }
        return Shown("unmatched.html", context)

    async def replay(self, _request: web.Request, _user: User, notice: str = "") -> Shown:
        return Shown("replay.html", {"job": self._jobs.of("replay"), "notice": notice})

    async def delivery(self, _request: web.Request, _user: User, notice: str = "") -> Shown:
        found = await self._store.pauses()
        context = {"kinds": list(TargetKind), "current": found, "notice": notice}
        return Shown("delivery.html", context)

    async def activity(self, request: web.Request, _user: User) -> Shown:
        kind = request.query.get("kind", "")
        wanted = choice(ActionKind, kind, "kind of action")
        actions = await self._store.operator_actions(kind=wanted, limit=MOST)
        return Shown("activity.html", {"actions": actions, "kinds": list(ActionKind), "kind": kind})

    async def people(self, _request: web.Request, _user: User, notice: str = "") -> Shown:
        return Shown("people.html", {"job": self._jobs.of("people"), "notice": notice})


def letter_number(fields: Mapping[str, str]) -> int | None:
    """The dead letter that is asked for; None for none, and for what is no number of one."""
    found = _LETTER.fullmatch(fields.get("number", ""))
    return None if found is None else int(found[0])


def question_of(query: Mapping[str, str]) -> Question | None:
    """What an address asks for; `q` is what somebody typed. None for nothing."""
    text = query.get("q", "").strip()
    if _UUID.fullmatch(text):
        return Question(statement_id=text.lower())
    if text:
        is_person = "@" in text or "|" in text or "://" in text
        return Question(learner=text) if is_person else Question(course=text)
    named = {name: query.get(name, "").strip() for name in ("learner", "topic", "course")}
    return Question(**named) if any(named.values()) else None
