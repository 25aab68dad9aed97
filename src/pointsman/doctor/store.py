"""Judges the store: room, schema, soundness, books. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pointsman.doctor.findings import Finding, fail, ok, warn

#: of the volume that may be free before it is little, and bytes that are enough however big it is
_LITTLE, _ENOUGH = 0.1, 20_000_000_000
#: and before there is none
_NONE, _NONE_BYTES = 0.01, 8_000_000
#: bytes of the log beside a SQLite file, which is cut to less when nothing reads for long
_LONG_LOG = 256_000_000


@dataclass(frozen=True, slots=True)
class Room:
    """Bytes of the volume that the SQLite file is on."""

    folder: str
    free: int
    total: int


def judge_room(room: Room) -> Finding:
    part = room.free / max(1, room.total)
    words = f"{room.free / 1e6:,.0f} MB ({part:.0%}) are free on the volume of {room.folder}"
    cure = (
        "enlarge the volume, or keep less: store.retention_days, launches.documents_days "
        "(`pointsman db stats` says what is in the file)"
    )
    if part < _NONE or room.free < _NONE_BYTES:
        return fail("store's room", f"the disk is full: {words}", cure)
    if part < _LITTLE and room.free < _ENOUGH:
        return warn("store's room", words, cure)
    return ok("store's room", words)


def judge_file_system(kind: str, folder: str) -> Iterator[Finding]:
    """`kind` is one of the network's, or ""."""
    if kind:
        yield warn(
            "store's disk",
            f"{folder} is on a file system of the network ({kind}), where SQLite files get damaged",
            "put the store on a block device or a local disk, or take PostgreSQL (docs/store.md)",
        )


def judge_log(size: int) -> Finding:
    """`size` in bytes of the log beside the SQLite file."""
    words = f"{size / 1e6:,.0f} MB are in the log beside the file"
    if size > _LONG_LOG:
        return warn(
            "store's log",
            f"{words}: something reads the store for so long that the log can't be emptied",
            "end what reads it (an export, a copy, another program); the next commits empty it",
        )
    return ok("store's log", words)


def judge_schema(current: int, newest: int) -> Finding:
    """`current` is that of the database, `newest` what this pointsman knows."""
    if current > newest:
        return fail(
            "store's schema",
            f"the database has schema {current}, this pointsman knows up to {newest}",
            "start the newer version that wrote it",
        )
    if current < newest:
        return fail(
            "store's schema",
            f"the database has schema {current}, this pointsman has {newest}",
            "pointsman db upgrade, or start the daemon, which does it",
        )
    return ok("store's schema", f"schema {current} is the newest")


def judge_books(*, balanced: bool, accepted: int, desired: int, problems: Sequence[str]) -> Finding:
    if balanced:
        words = f"{accepted:,} inputs and {desired:,} desired states are all accounted for"
        return ok("store's books", words)
    return fail(
        "store's books",
        f"the books do not balance: {'; '.join(problems) or 'the sums differ'}",
        "keep a copy (`pointsman db backup FILE`) and report it with `pointsman verify --json`",
    )


def judge_replicas(problems: Sequence[tuple[str, str]], running: int) -> Iterator[Finding]:
    """`problems` are (replica, why its file is not what it runs)."""
    for name, problem in problems:
        yield fail(
            "reload",
            f"{name} does not run its file: {problem}",
            "correct the file, or restart where it says so; then `pointsman reload`",
        )
    if running and not problems:
        daemons = "1 daemon runs" if running == 1 else f"{running} daemons run"
        yield ok("reload", f"{daemons} the configuration as it is in the file")
