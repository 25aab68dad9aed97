"""Reads the configuration again while the daemon runs: all of it is taken, or nothing.

The file is looked at every second, whoever replaced it and however, and read once it no longer
changes; SIGHUP and `pointsman reload` have it read at once. A file with a mistake, or with a change
that needs a restart, changes nothing, so what a daemon runs is always one file as it was.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import structlog

from pointsman import replicas
from pointsman.config import Settings, load
from pointsman.config.changes import Changes, changes, config_hash
from pointsman.domain.clock import Clock, micros
from pointsman.domain.errors import ConfigError, Retry
from pointsman.replicas import SIGN_EVERY, Replica, ReplicaStore
from pointsman.text_files import WatchedFile, can_be_read_once

log = structlog.get_logger(__name__)

#: seconds between two looks at the file, and at what is asked for in the store
LOOK_EVERY = 1.0
#: looks between two tries of a file that was not taken: a file that it names may have come
_TRY_EVERY = 5

#: takes on new settings, wholly or, raising `ConfigError`, not at all
Reconfigure = Callable[[Settings], Awaitable[None]]
#: told the hash of what runs, since when (seconds since the epoch), and whether the last file that
#: was read is that
OnReload = Callable[[str, float, bool], None]


class ConfigReload:
    """`path` is the file of `settings`; without one nothing is read again.

    `name` tells this replica apart.
    """

    def __init__(
        self,
        path: Path | None,
        settings: Settings,
        store: ReplicaStore,
        clock: Clock,
        reconfigure: Reconfigure,
        on_reload: OnReload,
        name: str,
        *,
        read: Callable[[Path], Settings] = load,
    ) -> None:
        self._path = path
        self._settings = settings
        self._store = store
        self._clock = clock
        self._reconfigure = reconfigure
        self._on_reload = on_reload
        self._read = read
        self._secret = b""
        self._files: list[WatchedFile] = []
        self._wanted = asyncio.Event()
        self._looks = 0
        self._is_changing = False
        self._missing: set[Path] = set()
        self._replica = Replica(name, "", 0, 0)
        self._noted: Replica | None = None
        #: why the file is not what runs; "" when it is
        self.problem = ""

    async def open(self, secret: bytes) -> None:
        """Say what runs. `secret` is the installation's."""
        self._secret = secret
        self._watch(self._settings)
        self._runs(self._settings)
        with contextlib.suppress(Retry):
            # a request from before this start is done with: the file was read since
            asked = (await replicas.read(self._store)).asked
            await self._note(asked)

    async def close(self) -> None:
        """This replica is gone."""
        with contextlib.suppress(Retry):
            name = self._replica.name
            await replicas.change(self._store, self._now(), lambda all_: all_.without(name))

    def want(self) -> None:
        """Read the file soon, whether or not it looks changed."""
        self._wanted.set()

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            await self.look()
            sleeping = asyncio.ensure_future(self._clock.sleep(LOOK_EVERY))
            wanted = asyncio.ensure_future(self._wanted.wait())
            try:
                await asyncio.wait({sleeping, wanted}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in (sleeping, wanted):
                    task.cancel()

    async def look(self) -> None:
        """Read the file if it has changed or somebody asked for it; say in the store what runs."""
        asked = self._replica.answered
        with contextlib.suppress(Retry):
            asked = (await replicas.read(self._store)).asked
        is_wanted = self._wanted.is_set() or asked != self._replica.answered
        self._wanted.clear()
        # every file is looked at, for each remembers what it had
        changed = [file for file in self._files if self._has_changed(file)]
        # what is being written is left alone until it is whole
        is_whole, self._is_changing = self._is_changing and not changed, bool(changed)
        self._looks += 1
        is_due = bool(self.problem) and not changed and self._looks % _TRY_EVERY == 0
        if is_whole or is_wanted or is_due:
            await self._reload(is_wanted=is_wanted)
        with contextlib.suppress(Retry):
            await self._note(asked)

    async def _reload(self, *, is_wanted: bool) -> None:
        if self._path is None:
            return
        before = self.problem
        try:
            _must_be_a_file(self._path)
            # in a thread: no statement waits for it
            settings = await asyncio.to_thread(self._read, self._path)
            different = changes(self._settings, settings)
            _must_need_no_restart(self._path, different)
            if different.live:
                await self._reconfigure(settings)
        except ConfigError as error:
            self.problem = str(error)
            self._told()
            if self.problem != before or is_wanted:
                log.warning(
                    "configuration not taken; the one of before stays in force",
                    configuration=self._replica.hash,
                    reason=self.problem,
                    next="correct the file, and see it with `pointsman check`; it is read again "
                    "by itself",
                )
            return
        self.problem = ""
        self._watch(settings)
        if not different:
            self._told()
            if is_wanted or before:
                log.info(
                    "configuration read again; nothing differs", configuration=self._replica.hash
                )
            return
        self._settings = settings
        self._runs(settings)
        log.info(
            "configuration reloaded",
            changed=list(different.live),
            configuration=self._replica.hash,
        )

    def _runs(self, settings: Settings) -> None:
        self._replica = replace(
            self._replica,
            hash=config_hash(settings, self._secret),
            since=self._now(),
            seen_at=0,
            problem="",
        )
        self._told()

    def _told(self) -> None:
        since = self._replica.since / 1e6
        self._on_reload(self._replica.hash, since, not self.problem)

    async def _note(self, asked: str) -> None:
        """Write down what runs, where that is news, or the last sign of life is old."""
        now = self._now()
        self._replica = row = replace(self._replica, answered=asked, problem=self.problem)
        if row == self._noted and now - row.seen_at < SIGN_EVERY:
            return
        signed = replace(row, seen_at=now)
        await replicas.change(self._store, now, lambda all_: all_.with_sign_of(signed))
        self._replica = self._noted = signed

    def _watch(self, settings: Settings) -> None:
        """The file, and those whose content becomes settings."""
        if self._path is None:
            return
        paths = [self._path, *(rule.tincan_xml for rule in settings.rules if rule.tincan_xml)]
        known = {file.path: file for file in self._files}
        self._files = [
            known.get(path) or WatchedFile(path, self._clock) for path in dict.fromkeys(paths)
        ]

    def _has_changed(self, file: WatchedFile) -> bool:
        if can_be_read_once(file.path):
            return False  # it was read at the start
        try:
            is_new = file.new_content() is not None
        except OSError:
            # what is wrong with it is said when it is read
            is_new = file.path not in self._missing
            self._missing.add(file.path)
        else:
            self._missing.discard(file.path)
        return is_new

    def _now(self) -> int:
        return micros(self._clock.now())


def _must_be_a_file(path: Path) -> None:
    if can_be_read_once(path):
        raise ConfigError(
            f"{path} is a pipe, which can be read once; name a file with -c or POINTSMAN_CONFIG "
            "where the configuration is to be read again, and restart"
        )


def _must_need_no_restart(path: Path, different: Changes) -> None:
    if not different.restart:
        return
    verb = "needs" if len(different.restart) == 1 else "need"
    raise ConfigError(
        f"{path}: {', '.join(different.restart)} {verb} a restart, so nothing of the file was "
        "taken; restart the daemon, or set that back"
    )
