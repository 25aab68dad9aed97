"""What each resource takes: one table of methods, parameters and versions.

xAPI 1.0.3 Part 3 section 2 and 2.0 section 4.1.6. Whatever is not in the table is refused: another
method with 405, another parameter with 400, except for sources that are marked lenient.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

ONE, TWO = "1.0.3", "2.0.0"


class Resource(StrEnum):
    STATEMENTS = "/xapi/statements"
    STATE = "/xapi/activities/state"
    ACTIVITY_PROFILE = "/xapi/activities/profile"
    AGENT_PROFILE = "/xapi/agents/profile"
    ACTIVITIES = "/xapi/activities"
    AGENTS = "/xapi/agents"


class Unconditional(StrEnum):
    """What a PUT does without If-Match and If-None-Match (1.0.3 Part 3 section 3.1)."""

    OVERWRITES = "overwrites"
    #: it makes a document, and gets 409 where there is one
    CREATES = "creates"
    #: 400, or 409 where there is a document
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class MethodRules:
    """Parameters of one method."""

    required: frozenset[str]
    optional: frozenset[str] = frozenset()


def _takes(required: str = "", optional: str = "") -> MethodRules:
    return MethodRules(frozenset(required.split()), frozenset(optional.split()))


_QUERY = (
    "statementId voidedStatementId agent verb activity registration related_activities "
    "related_agents since until limit format attachments ascending cursor"
)

TABLE: dict[Resource, dict[str, MethodRules]] = {
    Resource.STATEMENTS: {
        "POST": _takes(),
        "PUT": _takes("statementId"),
        "GET": _takes("", _QUERY),
    },
    Resource.STATE: {
        "PUT": _takes("activityId agent stateId", "registration"),
        "POST": _takes("activityId agent stateId", "registration"),
        "GET": _takes("activityId agent", "registration stateId since"),
        "DELETE": _takes("activityId agent", "registration stateId"),
    },
    Resource.ACTIVITY_PROFILE: {
        "PUT": _takes("activityId profileId"),
        "POST": _takes("activityId profileId"),
        "GET": _takes("activityId", "profileId since"),
        "DELETE": _takes("activityId profileId"),
    },
    Resource.AGENT_PROFILE: {
        "PUT": _takes("agent profileId"),
        "POST": _takes("agent profileId"),
        "GET": _takes("agent", "profileId since"),
        "DELETE": _takes("agent profileId"),
    },
    Resource.ACTIVITIES: {"GET": _takes("activityId")},
    Resource.AGENTS: {"GET": _takes("agent")},
}

#: GET of one statement takes nothing else (1.0.3 Part 3 section 2.1.3)
WITH_ONE_STATEMENT = frozenset({"statementId", "voidedStatementId", "format", "attachments"})

UNCONDITIONAL_PUT: dict[tuple[Resource, str], Unconditional] = {
    (Resource.STATE, ONE): Unconditional.OVERWRITES,
    (Resource.STATE, TWO): Unconditional.CREATES,
    (Resource.ACTIVITY_PROFILE, ONE): Unconditional.NOTHING,
    (Resource.ACTIVITY_PROFILE, TWO): Unconditional.CREATES,
    (Resource.AGENT_PROFILE, ONE): Unconditional.NOTHING,
    (Resource.AGENT_PROFILE, TWO): Unconditional.CREATES,
}

#: versions with the alternate request syntax (1.0.3 Part 3 section 1.3; gone from 2.0)
ALTERNATE_SYNTAX = frozenset({ONE})
