"""`python -m tests.support.store_process PATH COUNT [beside]`: a store in a process that is killed.

It stores COUNT statements, says `stored`, and waits with the file open.
"""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from pointsman.domain.records import Submission
from pointsman.store.sqlite import SqliteStore
from tests.support.change_factory import change, item, submission, topic


async def main(path: Path, count: int, *, beside: bool) -> None:
    store = SqliteStore(path, beside=beside)
    await store.open()
    await ingest(store, range(count))
    print("stored", flush=True)  # noqa: T201 - the parent reads it
    await asyncio.Event().wait()


async def ingest(store: SqliteStore, numbers: Iterable[int]) -> None:
    """A commit for each."""
    for number in numbers:
        await store.ingest([statement(number)])


def statement(number: int) -> Submission:
    """The n-th of them."""
    wanted = change(f"l{number % 50}@example.com", topic(f"t{number % 7}"), number % 101, at=number)
    return submission(
        item(wanted, statement_id=f"s-{number}", digest=number), body=b"x" * (number % 3_000)
    )


@contextlib.contextmanager
def running(path: Path, count: int = 1, *, beside: bool = False) -> Iterator[subprocess.Popen[str]]:
    """Such a process that has stored them; at the end it is killed, and its log stays.

    `beside` as a command does it, and not a daemon.
    """
    command = [sys.executable, "-m", "tests.support.store_process", str(path), str(count)]
    command += ["beside"] if beside else []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            # what it logs comes before that
            assert "stored\n" in process.stdout
            yield process
        finally:
            process.kill()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), beside=sys.argv[3:] == ["beside"]))
