"""The pages that change something: each does what a command does, on the record, and says so."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from aiohttp import web

from pointsman import operations, privacy
from pointsman.config import Settings
from pointsman.domain.clock import MICROSECONDS, Clock, micros
from pointsman.domain.operator_actions import ActionKind, OperatorAction
from pointsman.domain.park_codes import ParkCode
from pointsman.domain.quantities import counted
from pointsman.domain.target_kinds import TargetKind
from pointsman.domain.targets import Recipient
from pointsman.operator_page.access import User
from pointsman.operator_page.choices import choice
from pointsman.operator_page.jobs import Job, Jobs, Say
from pointsman.operator_page.shown import Shown
from pointsman.operator_page.views import Views, letter_number
from pointsman.privacy import ForgetRequest
from pointsman.sources.http.client_address import sender_address
from pointsman.sources.replay import ReplayPage
from pointsman.store.base import Store

_BUSY = "Something else is still running; wait until it is done."
#: lines of moves that a replay shows
_MOVES = 50
_DAYS = re.compile(r"\d{1,4}")
_DAY = 86_400


class Forms:
    """One method a page; each answers with the page, and what was done."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        clock: Clock,
        jobs: Jobs,
        views: Views,
        wake: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._store = store
        self._clock = clock
        self._jobs = jobs
        self._views = views
        self._wake = wake

    def reconfigure(self, settings: Settings) -> None:
        """Do as these settings say from now on."""
        self._settings = settings

    async def parked(self, request: web.Request, user: User, fields: Mapping[str, str]) -> Shown:
        """Retry of one code or learner; drop of one state."""
        code, learner = fields.get("code", ""), fields.get("learner", "")
        recipients = [Recipient.from_text(learner)] if learner else None
        wanted = choice(ParkCode, code, "reason")
        codes = [] if wanted is None else [wanted]
        if fields.get("do") == "drop":
            found = await self._store.parked(recipients or (), limit=1_000)
            chosen = [
                state
                for state in found
                if (state.target.kind.value, state.target.key)
                == (fields.get("kind"), fields.get("target"))
            ]
            action = self._begun(
                ActionKind.PARKED_DROP, request, user, {"key": fields.get("target", "")}, learner
            )
            dropped = await operations.recorded(
                action,
                lambda store: store.drop_parked(chosen),
                lambda count: f"{count} dropped",
            )(self._store)
            return await self._views.parked(request, user, f"{dropped} dropped.")
        if recipients is None and not codes:
            return await self._views.parked(request, user, "Say which: a reason or a learner.")
        action = self._begun(ActionKind.PARKED_RETRY, request, user, {"code": code}, learner)
        freed = await operations.recorded(
            action,
            lambda store: store.unpark(recipients, codes=codes),
            lambda count: f"{count} freed",
        )(self._store)
        self._wake()
        return await self._views.parked(
            request, user, f"{freed} freed; they are sent within seconds, or parked again."
        )

    async def letters(self, request: web.Request, user: User, fields: Mapping[str, str]) -> Shown:
        """Try without changing anything, read again, or drop."""
        number = letter_number(fields)
        if number is None:
            return await self._views.letters(request, user, "Say which one.")
        letters = [number]
        details = {"numbers": str(number)}
        if fields.get("do") == "drop":
            action = self._begun(ActionKind.DEAD_LETTERS_DROP, request, user, details)
            dropped = await operations.recorded(
                action,
                lambda store: store.drop_dead_letters(letters),
                lambda count: f"{count} dropped",
            )(self._store)
            return await self._views.letters(request, user, f"{dropped} dropped.")
        action_or_none = None
        if fields.get("do") == "replay":
            action_or_none = self._begun(ActionKind.DEAD_LETTERS_REPLAY, request, user, details)
        results: dict[int, str] = {}
        await operations.replay_letters(
            self._settings,
            self._store,
            self._clock,
            action_or_none,
            letters,
            results.__setitem__,
        )
        if action_or_none is None:
            return await self._views.letters(request, user, tried=results)
        self._wake()
        return await self._views.letters(request, user, f"{number}: {results[number]}.")

    async def replay(self, request: web.Request, user: User, fields: Mapping[str, str]) -> Shown:
        """Decide again about the statements of some days, first without changing anything."""
        days = fields.get("days", "")
        if not _DAYS.fullmatch(days) or not int(days):
            return await self._views.replay(request, user, "Say how many days back, as a number.")
        dry_run = fields.get("do") != "replay"
        before = self._jobs.of("replay")
        if not dry_run and (before is None or before.details.get("days") != days):
            return await self._views.replay(request, user, "Try it first: see what would change.")
        until = micros(self._clock.now())
        since = until - int(days) * _DAY * MICROSECONDS
        action = None
        if not dry_run:
            action = self._begun(ActionKind.REPLAY, request, user, {"since": f"{days}d"})

        async def run(say: Say) -> Sequence[str]:
            total = _Total()

            def on_page(page: ReplayPage) -> None:
                total.add(page)
                say(f"{counted(total.statements, 'statement')} decided again")

            await operations.replay(
                self._settings,
                self._store,
                self._clock,
                since=since,
                until=until,
                action=action,
                on_page=on_page,
            )
            self._wake()
            return total.lines()

        span = f"the last {counted(int(days), 'day')}"
        title = f"{'What would change' if dry_run else 'Replayed'}, {span}"
        details = {"days": days} if dry_run else {}
        started = self._jobs.start("replay", Job(title, user.name, details=details), run)
        return await self._views.replay(request, user, "" if started else _BUSY)

    async def delivery(self, request: web.Request, user: User, fields: Mapping[str, str]) -> Shown:
        """Pause or resume."""
        text = fields.get("kind", "")
        kind = choice(TargetKind, text, "kind of target")
        if fields.get("do") == "resume":
            action = self._begun(ActionKind.RESUME, request, user, {"kind": text})
            ended = await operations.resume(self._store, action, kind)
            self._wake()
            names = ", ".join(pause.name for pause in ended)
            notice = f"Resumed: {names}." if ended else "Nothing was paused."
            return await self._views.delivery(request, user, notice)
        reason = fields.get("reason", "")[:200]
        action = self._begun(ActionKind.PAUSE, request, user, {"kind": text, "reason": reason})
        made = await operations.pause(self._store, action, kind, reason, self._clock)
        return await self._views.delivery(request, user, f"{made.words}.".capitalize())

    async def people(
        self, request: web.Request, user: User, fields: Mapping[str, str]
    ) -> Shown | web.StreamResponse:
        """Hand out what is kept of a person, or erase it."""
        learner = fields.get("learner", "").strip()
        if not learner:
            return await self._views.people(request, user, "Say who.")
        if fields.get("do") == "export":
            action = self._begun(ActionKind.EXPORT, request, user, {})
            records = await operations.export_person(self._settings, self._store, action, learner)
            if privacy.holds_nothing(records):
                return await self._views.people(
                    request, user, "The store holds nothing of this person; is the name right?"
                )
            return web.Response(
                body=json.dumps(records, indent=2).encode("ascii"),
                content_type="application/json",
                headers={
                    "Content-Disposition": 'attachment; filename="person.json"',
                    "Cache-Control": "no-store",
                },
            )
        dry_run = fields.get("do") != "forget"
        if not dry_run and fields.get("confirm", "").strip() != learner:
            return await self._views.people(
                request, user, "Nothing was erased: write the learner once more to confirm."
            )
        days = fields.get("days", "")
        refuse_for = float(days) * _DAY if _DAYS.fullmatch(days) and int(days) else None
        wanted = ForgetRequest(learner, dry_run, refuse_for)
        action = self._begun(ActionKind.FORGET, request, user, {"refuse_for": days and f"{days}d"})

        async def run(say: Say) -> Sequence[str]:
            done = await operations.forget(
                self._settings, self._store, self._clock, action, wanted, say
            )
            counts = [f"{what.replace('_', ' ')}: {n:,}" for what, n in (+done.erased).items()]
            replaced = [f"{what} of others: {n:,}" for what, n in (+done.replaced).items()]
            proof = "nothing was changed" if dry_run else str(done)
            return [*counts, *replaced, proof]

        # who was erased is not kept here either
        title = f"What would be erased of {learner}" if dry_run else "Erased"
        started = self._jobs.start("people", Job(title, user.name), run)
        return await self._views.people(request, user, "" if started else _BUSY)

    def _begun(
        self,
        kind: ActionKind,
        request: web.Request,
        user: User,
        details: Mapping[str, str],
        learner: str = "",
    ) -> OperatorAction:
        asked = {name: value for name, value in details.items() if value}
        at, origin = micros(self._clock.now()), f"{sender_address(request)}, the page"
        return OperatorAction(at, kind, user.name, origin, learner, asked)


class _Total:
    """All pages of a replay together."""

    def __init__(self) -> None:
        self.statements = 0
        self._outcomes: Counter[str] = Counter()
        self._moves: list[str] = []
        self._moved = 0

    def add(self, page: ReplayPage) -> None:
        self.statements += page.statements
        for (before, after), count in page.result.outcomes.items():
            self._outcomes[f"{before.value} → {after.value}".replace("_", " ")] += count
        for move in page.result.moves:
            self._moved += 1
            if len(self._moves) < _MOVES:
                was = "nothing" if move.before is None else move.before
                what = f"{move.target.kind.value} {move.target.key}".replace("_", " ", 1)
                self._moves.append(f"{move.recipient}, {what}: {was} → {move.after}")

    def lines(self) -> list[str]:
        outcomes = [f"{words}: {count:,}" for words, count in self._outcomes.items()]
        return [
            f"{counted(self.statements, 'statement')} decided again",
            *outcomes,
            *self._moves,
            f"desired states that move: {self._moved:,}",
        ]
