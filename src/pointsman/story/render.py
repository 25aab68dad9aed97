"""Renders a story as text for a terminal, and as JSON for programs and pages. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pointsman.story.records import Standing, Story
from pointsman.story.words import PARKED, target_words, time_words

_INDENT = " " * 22


def story_as_text(story: Story) -> str:
    """Lines in the order of time; the last ones say where it stands and what to do."""
    return "\n".join(_lines(story))


def _lines(story: Story) -> Iterator[str]:
    yield ", ".join(filter(None, (story.learner, story.about)))
    yield ""
    if story.left_out:
        yield f"{_INDENT}({story.left_out} earlier events; --limit shows more)"
    for event in story.events:
        yield f"{time_words(event.at)}  {event.headline}"
        yield from (f"{_INDENT}{detail}" for detail in event.details)
    if story.events or story.left_out:
        yield ""
    others = [standing for standing in story.standings if standing != story.end]
    for standing in others:
        yield f"{_once(standing.sentence, story.end.sentence)}."
    if others:
        yield ""
    end = story.end
    yield f"{_sentence(end.sentence)} {_sentence(end.next)}"
    if end.cure:
        yield "What you can do:"
        yield from (f"  {cure}" for cure in end.cure)


def _once(sentence: str, end: str) -> str:
    """Without a reason that the end gives as well."""
    what, parked, reason = sentence.partition(PARKED)
    same = parked and end.endswith(f"{parked}{reason}")
    return f"{what} is parked for the same reason" if same else sentence


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}{'' if words.endswith('.') else '.'}"


def story_as_json(story: Story) -> dict[str, Any]:
    """The same with names for everything; times in ISO 8601."""
    return {
        "learner": story.learner,
        "about": story.about,
        "now": time_words(story.now),
        "leftOut": story.left_out,
        "events": [
            {
                "at": time_words(event.at),
                "kind": event.kind.value,
                "headline": event.headline,
                "details": list(event.details),
                **event.data,
            }
            for event in story.events
        ],
        "states": [_standing(standing) for standing in story.standings],
        "end": _standing(story.end),
    }


def _standing(standing: Standing) -> dict[str, Any]:
    target = standing.target
    return {
        "cause": standing.cause.value,
        "sentence": standing.sentence,
        "next": standing.next,
        "nextAt": None if standing.next_at is None else time_words(standing.next_at),
        "cure": list(standing.cure),
        "target": None
        if target is None
        else {
            "kind": target.kind.value,
            "key": target.key,
            "words": target_words(target, standing.recipient),
        },
        "wanted": standing.wanted,
        "delivered": standing.delivered,
        "isDelivered": standing.is_delivered,
        "isParked": standing.is_parked,
    }
