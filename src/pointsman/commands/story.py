"""What `pointsman explain` does; it loads no more than a story needs, so that it answers soon."""

from __future__ import annotations

from pointsman import wiring
from pointsman.commands.beside import CLOCK, with_store
from pointsman.config import Settings
from pointsman.story import Question, Story


async def explain(settings: Settings, question: Question, *, limit: int) -> Story:
    """Why a learner's state is what it is, beside the daemon; the newest `limit` events of it."""
    return await with_store(
        settings,
        lambda store: wiring.teller(settings, store, CLOCK).tell(question, limit=limit),
    )
