"""What every store can do for finding, erasing and handing out what it holds of a person.

The store reads and writes; what is a person's, and what becomes of it, is decided by the callers'
functions (`privacy/`), which are pure and may be called again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

#: a row of any table by its columns' names
Row = Mapping[str, Any]
#: what becomes of a row: the same one, another one, or None where it goes
DecideRow = Callable[[Row], Row | None]


@dataclass(frozen=True, slots=True)
class RefusedLearner:
    """Input of one identifier of a person is refused. Times in microseconds."""

    #: keyed, of the identifier
    hash: str
    #: the person's pseudonym, the same for all identifiers
    person: str
    refused_at: int
    until: int
    #: how many inputs were refused
    inputs: int = 0


@dataclass(frozen=True, slots=True)
class BlockChange:
    """What became of the statements of one commit."""

    erased: int = 0
    replaced: int = 0

    def __add__(self, other: BlockChange) -> BlockChange:
        return BlockChange(self.erased + other.erased, self.replaced + other.replaced)


class PersonalDataStore(Protocol):
    """All of what is kept, table by table (`personal_data.TABLES`)."""

    async def installation_secret(self) -> bytes:
        """The key that only this installation has: 32 bytes, made with the store."""
        ...

    async def table_columns(self) -> dict[str, set[str]]:
        """The tables that there are, with their columns."""
        ...

    async def rows_where(self, table: str, column: str, values: Sequence[object]) -> list[Row]:
        """Whole rows, in the order of the table's key."""
        ...

    async def scan_rows(self, table: str, take: Callable[[Row], None]) -> None:
        """Every row of a table, as it was at one moment."""
        ...

    async def scan_blocks(self, take: Callable[[int, bytes], None]) -> None:
        """Every commit's number, and the bodies of its statements one after the other."""
        ...

    async def change_rows(self, table: str, keys: Sequence[Row], decide: DecideRow) -> int:
        """Change or erase rows, found by the columns of the table's key; how many changed.

        `decide` gets each as it is now. All in one transaction.
        """
        ...

    async def erase_learner(self, names: Sequence[str], *, now: int) -> int | None:
        """Erase all rows of the learner of these names; how many.

        None, and nothing is done, while one of them is leased for a delivery.
        """
        ...

    async def change_blocks(
        self,
        blocks: Sequence[int],
        decide: Callable[[Any], Any],
        erased_keys: frozenset[int],
    ) -> BlockChange:
        """Change or erase statements of these commits, in one transaction; the books count on.

        `decide` gets a statement as JSON; the very same one means that it stays, None that it
        goes. `erased_keys` are no longer in the index.
        """
        ...

    async def blocks_with_keys(self, keys: Sequence[int]) -> list[int]:
        """The commits that the index has under any of these keys."""
        ...

    async def compact(self) -> None:
        """Let nothing of what was erased stay in free space, as far as the store can."""
        ...

    async def raw_remains(
        self, needles: Sequence[bytes], within: Sequence[bytes]
    ) -> dict[bytes, int]:
        """How often each of these is in the store's own files, whatever the case of its letters.

        Not counted where it is a part of one of the longer words `within`. Empty where the store
        has no files that it could look into.
        """
        ...

    async def refuse_learners(self, refused: Sequence[RefusedLearner]) -> None:
        """Refuse the input of these; a later time replaces an earlier one."""
        ...

    async def refused_learners(self) -> list[RefusedLearner]:
        """All that are in the list, also those whose time is over."""
        ...

    async def count_refused(self, inputs: Mapping[str, int], *, now: int) -> None:
        """Add inputs that were refused, by hash; and forget those whose time is over."""
        ...
