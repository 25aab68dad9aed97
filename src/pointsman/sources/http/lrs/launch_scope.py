"""What a launched player may ask: its own learner, session and activity, and nobody else's. Pure.

Its credential is held by a browser, where the learner can take it. Statements are looked at when
they are read (`launches.speech`); this is about queries, documents and the other resources.
"""

from __future__ import annotations

from dataclasses import replace

from pointsman.domain.launch import Launch, PlayerKind, covers, launch_actor_json
from pointsman.sources.http.errors import RequestRefused
from pointsman.sources.http.lrs.parameters import AgentParameter, Parameters
from pointsman.sources.http.lrs.request import LrsRequest
from pointsman.sources.http.lrs.resources import Resource
from pointsman.sources.players.cmi5.vocabulary import LAUNCH_DATA
from pointsman.statements import identity_of


def limit_to_launch(call: LrsRequest) -> LrsRequest:
    """The call, narrowed to what its launch may see. Raises `RequestRefused` (403)."""
    launch = call.launch
    if launch is None:
        return call
    given = call.parameters
    mine = AgentParameter(launch_actor_json(launch), identity_of(launch.actor))
    if given.agent is not None and given.agent.identity != mine.identity:
        raise _foreign("the agent is not the learner of this launch")
    if given.registration not in {None, launch.registration}:
        raise _foreign(f"the registration {given.registration} is not that of this launch")
    if given.activity_id is not None and not covers(launch, given.activity_id):
        raise _foreign(f"the activity is neither {launch.activity} nor below it")
    if call.resource is Resource.STATE and call.method != "GET":
        _spare_others(given, launch)
    if call.resource is Resource.ACTIVITY_PROFILE and call.method != "GET":
        raise _foreign("an activity's profile is every learner's; a player may only read it")
    if call.resource is Resource.STATEMENTS and call.method == "GET":
        return replace(call, parameters=_own(given, mine, launch))
    return call


def _spare_others(given: Parameters, launch: Launch) -> None:
    """Other registrations' documents, and what the LMS told the player (cmi5 section 10)."""
    if given.state_id is None and given.registration is None:
        raise _foreign("that would delete the documents of every registration; name this one")
    if launch.kind is not PlayerKind.CMI5:
        return
    if given.state_id == LAUNCH_DATA:
        raise _foreign(f"{LAUNCH_DATA} is the LMS's; a player may only read it")
    if given.state_id is None:
        raise _foreign(f"that would delete {LAUNCH_DATA} too; delete by stateId")


def _own(given: Parameters, mine: AgentParameter, launch: Launch) -> Parameters:
    if given.related_agents:
        raise _foreign("related_agents would show what others said")
    if given.activity is not None and not covers(launch, given.activity):
        raise _foreign(f"the activity is neither {launch.activity} nor below it")
    if given.statement_id is not None or given.voided_statement_id is not None:
        return given  # whose it is will be seen when it is found
    return replace(given, agent=mine)


def _foreign(why: str) -> RequestRefused:
    return RequestRefused(
        403, f"{why}; a launch credential speaks for one learner and one activity"
    )
