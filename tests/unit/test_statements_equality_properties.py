"""Any statement written otherwise is the same, and any other change makes another (2.3.1)."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pointsman.domain.statement_digest import is_same
from pointsman.statements.equality import digest
from pointsman.statements.statement import STATEMENT
from tests.support.xapi_factory import BEN, SOME_ID, attachment


def are_same(first: dict[str, Any], second: dict[str, Any]) -> bool:
    digests = [digest(orjson.loads(orjson.dumps(sent))) for sent in (first, second)]
    return is_same(*digests)


_WORDS = st.text("abcXYZ 01.,é", max_size=8)
_IRIS = st.sampled_from([f"http://e.com/{name}" for name in "abcdef"])
_AGENTS = st.builds(
    lambda identifier, name: {**identifier, **name},
    st.sampled_from(
        [
            {"mbox": "mailto:Ana@example.com"},
            {"mbox": "mailto:ben@example.com"},
            {"mbox_sha1sum": "ab" * 20},
            {"openid": "http://e.com/openid"},
            {"account": {"homePage": "http://e.com", "name": "ana"}},
        ]
    ),
    st.sampled_from([{}, {"name": "Ana"}, {"objectType": "Agent"}]),
)
_GROUPS = st.builds(
    lambda members, name: {"objectType": "Group", "member": members, **name},
    st.lists(_AGENTS, min_size=1, max_size=4),
    st.sampled_from([{}, {"name": "Group"}, {"mbox": "mailto:group@example.com"}]),
)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 1000) | st.floats(-10, 10) | _WORDS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_WORDS, inner, max_size=2),
    max_leaves=4,
)
_EXTENSIONS = st.dictionaries(_IRIS, _VALUES, max_size=2)
_ACTIVITIES = st.builds(lambda name: {"id": name}, _IRIS)
_UUIDS = st.uuids().map(str)
_TIMES = st.datetimes().map(lambda at: at.isoformat(timespec="milliseconds") + "Z")
_RESULTS = st.fixed_dictionaries(
    {},
    optional={
        "completion": st.booleans(),
        "success": st.booleans(),
        "response": _WORDS,
        "duration": st.sampled_from(["PT1.25S", "P1DT2H", "PT3S"]),
        "score": st.fixed_dictionaries({"scaled": st.floats(-1, 1)}),
        "extensions": _EXTENSIONS,
    },
)
_CONTEXTS = st.fixed_dictionaries(
    {},
    optional={
        "registration": _UUIDS,
        "instructor": _AGENTS,
        "team": _GROUPS,
        "contextActivities": st.dictionaries(
            st.sampled_from(["parent", "grouping", "category", "other"]),
            st.lists(_ACTIVITIES, min_size=1, max_size=3),
        ),
        "language": st.sampled_from(["en", "de-AT"]),
        "statement": _UUIDS.map(lambda name: {"objectType": "StatementRef", "id": name}),
        "extensions": _EXTENSIONS,
    },
)
_PARTS = {"actor": _AGENTS | _GROUPS, "verb": st.builds(lambda name: {"id": name}, _IRIS)}
_OPTIONAL = {"result": _RESULTS, "context": _CONTEXTS, "timestamp": _TIMES}
_OBJECTS = (
    _ACTIVITIES
    | _GROUPS
    | _UUIDS.map(lambda name: {"objectType": "StatementRef", "id": name})
    | st.fixed_dictionaries(
        {"objectType": st.just("SubStatement"), **_PARTS, "object": _ACTIVITIES | _GROUPS},
        optional=_OPTIONAL,
    )
)
STATEMENTS = st.fixed_dictionaries({**_PARTS, "object": _OBJECTS}, optional=_OPTIONAL)


def parts(sent: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The statement, and one inside it."""
    yield sent
    if sent["object"].get("objectType") == "SubStatement":
        yield sent["object"]


def written_otherwise(sent: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """The same statement, each part written in another way or as it was."""
    otherwise = copy.deepcopy(sent)
    for part in parts(otherwise):
        _actors_written_otherwise(part, chance)
        _object_and_context_written_otherwise(part, chance)
        if chance.random() < 0.5:
            part["verb"]["display"] = {"en": "did"}
        if "timestamp" in part:
            part["timestamp"] = _time_written_otherwise(part["timestamp"], chance)
    made: dict[str, Any] = _in_any_order(otherwise, chance)
    for part in parts(made):
        if chance.random() < 0.5:
            part["attachments"] = [attachment(b"x")]
    assigned = {
        "id": SOME_ID,
        "stored": "2026-01-01T12:00:00Z",
        "version": "1.0.3",
        "authority": BEN,
    }
    made |= {name: value for name, value in assigned.items() if chance.random() < 0.5}
    if chance.random() < 0.3:
        made.pop("timestamp", None)
    return made


def _actors_written_otherwise(part: dict[str, Any], chance: random.Random) -> None:
    for group in _groups(part):
        chance.shuffle(group["member"])
    for actor in _agents(part):
        if "mbox" in actor and chance.random() < 0.5:
            local, at, domain = actor["mbox"].partition("@")
            actor["mbox"] = local + at + domain.upper()
        if "mbox_sha1sum" in actor and chance.random() < 0.5:
            actor["mbox_sha1sum"] = actor["mbox_sha1sum"].upper()


def _time_written_otherwise(text: str, chance: random.Random) -> str:
    return chance.choice(
        [text, text.replace("Z", "+00:00"), text[:-1], text.replace("Z", "456Z"), text.lower()]
    ).replace("t", "T")


def _object_and_context_written_otherwise(part: dict[str, Any], chance: random.Random) -> None:
    named = [part["object"]] if "objectType" not in part["object"] else []
    context = part.get("context", {})
    for kind, listed in context.get("contextActivities", {}).items():
        chance.shuffle(listed)
        named += listed
        if len(listed) == 1 and chance.random() < 0.5:
            context["contextActivities"][kind] = listed[0]
    for activity in named:
        if chance.random() < 0.5:
            activity.update({"definition": {"name": {"en": "A lesson"}}})
    for name in ("registration", "language"):
        if name in context and chance.random() < 0.5:
            context[name] = context[name].upper()
    for reference in (part["object"], context.get("statement", {})):
        if reference.get("objectType") == "StatementRef" and chance.random() < 0.5:
            reference["id"] = reference["id"].upper()
    if part.get("result", {}).get("duration") == "PT1.25S":
        part["result"]["duration"] = chance.choice(["PT1.25S", "PT1.2599S"])


def _actors(part: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield part["actor"]
    if part["object"].get("objectType") == "Group":
        yield part["object"]
    for name in ("instructor", "team"):
        if name in part.get("context", {}):
            yield part["context"][name]


def _groups(part: dict[str, Any]) -> Iterator[dict[str, Any]]:
    return (actor for actor in _actors(part) if "member" in actor)


def _agents(part: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for actor in _actors(part):
        yield from (actor, *actor.get("member", ()))


def _in_any_order(value: Any, chance: random.Random) -> Any:
    """With keys in another order, and whole numbers as fractions."""
    if isinstance(value, dict):
        names = list(value)
        chance.shuffle(names)
        return {name: _in_any_order(value[name], chance) for name in names}
    if isinstance(value, list):
        return [_in_any_order(inner, chance) for inner in value]
    if isinstance(value, int) and not isinstance(value, bool) and chance.random() < 0.5:
        return float(value)
    return value


@given(STATEMENTS, st.randoms(use_true_random=False))
def test_a_statement_that_is_written_otherwise_is_the_same(
    sent: dict[str, Any], chance: random.Random
) -> None:
    other = written_otherwise(sent, chance)
    STATEMENT.validate_python(sent)
    STATEMENT.validate_python(orjson.loads(orjson.dumps(other)))
    assert are_same(sent, other)


def changes(value: Any, put: Callable[[Any], None]) -> Iterator[Callable[[], Any]]:
    """A change of each leaf, and the removal of each property and element, one at a time."""
    match value:
        case dict():
            places: list[Any] = list(value)
        case list():
            places = list(range(len(value)))
        case _:
            yield lambda: put(another(value))
            return
    for place in places:
        yield partial(value.pop, place)
        yield from changes(value[place], partial(value.__setitem__, place))


def another(value: Any) -> Any:
    """Another value of the same type."""
    match value:
        case bool():
            return not value
        case None:
            return "null"
        case int() | float():
            return value + 1
        case str() if value.endswith("Z") and value[10:11] == "T":
            return value.replace("Z", "+00:01")
        case str() if value.startswith("PT"):
            return value.replace("S", "M")
        case str() if value[:2] in {"ab", "AB"}:
            return f"cd{value[2:]}"
        case str() if len(value) == 36:
            return f"{'1' if value[0] != '1' else '2'}{value[1:]}"
    return f"{value}x"


def is_valid(sent: dict[str, Any]) -> bool:
    try:
        STATEMENT.validate_python(sent)
    except ValidationError:
        return False
    return True


@given(STATEMENTS, st.randoms(use_true_random=False))
def test_a_statement_of_which_anything_is_changed_is_another(
    sent: dict[str, Any], chance: random.Random
) -> None:
    places = list(range(len([*changes(sent, lambda _: None)])))
    chance.shuffle(places)
    for place in places:
        other = copy.deepcopy(sent)
        [*changes(other, lambda _: None)][place]()
        # without a timestamp it is the same, for that may be assigned
        if is_valid(other) and sent != {"timestamp": sent.get("timestamp"), **other}:
            assert not are_same(sent, other)
            return
    raise AssertionError("nothing of it could be changed")
