"""Tells why a learner's state is what it is: one story of inputs, moves, deliveries and readings.

`tell` asks the store; everything else is pure, so that a terminal, a page and a learner's receipt
tell the same. Nothing is changed by it.
"""

from pointsman.story.facts import Facts, InputFact, QuotaFact
from pointsman.story.question import Question
from pointsman.story.records import Cause, Event, EventKind, Standing, Story
from pointsman.story.render import story_as_json, story_as_text
from pointsman.story.tell import Identities, StatementReader, Teller, TokenHint
from pointsman.story.telling import story_of

__all__ = [
    "Cause",
    "Event",
    "EventKind",
    "Facts",
    "Identities",
    "InputFact",
    "Question",
    "QuotaFact",
    "Standing",
    "StatementReader",
    "Story",
    "Teller",
    "TokenHint",
    "story_as_json",
    "story_as_text",
    "story_of",
]
