"""The seam of sources that read by themselves, from a log or a queue; the daemon runs them."""

from __future__ import annotations

from typing import Protocol


class Source(Protocol):
    """What it reads it hands to the pipeline, and forgets only what the store has committed."""

    @property
    def name(self) -> str:
        """As the settings name it."""

    @property
    def problem(self) -> str:
        """Why it can't read at the moment, for a person; "" while it can."""

    @property
    def is_required(self) -> bool:
        """Whether the daemon is not ready while there is a problem."""

    async def run(self) -> None:
        """Read until `stop`; a trouble of its own is logged and waited for, never raised.

        What is under way at the end is stored if the store can.
        """

    async def stop(self) -> None:
        """Ask `run` to end; it returns by itself. Asking twice is no different from once."""
