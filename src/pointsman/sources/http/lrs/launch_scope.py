"""Limits what a launched player may ask: to its own learner, session and activity. Pure.

Its credential is held by a browser, where the learner can take it. Statements are looked at when
they are accepted (`players.authorize`); this is about queries, documents and the other resources.
"""

from __future__ import annotations

from dataclasses import replace

from pointsman.domain.iri import same_iri
from pointsman.domain.launch import Launch, PlayerKind, covers, launch_actor_json, same_actor
from pointsman.sources.http.errors import RequestRefused
from pointsman.sources.http.lrs.parameters import AgentParameter, Parameters
from pointsman.sources.http.lrs.resources import Resource
from pointsman.sources.players.cmi5.vocabulary import LAUNCH_DATA
from pointsman.statements import identity_of


def limit_to_launch(
    launch: Launch, resource: Resource, method: str, parameters: Parameters
) -> Parameters:
    """The parameters, narrowed to what the launch may see. Raises `RequestRefused` (403)."""
    if resource is Resource.STATEMENTS and method != "GET":
        return parameters  # no more than an id; what is stated is looked at when it is accepted
    mine = AgentParameter(launch_actor_json(launch), identity_of(launch.actor), launch.actor)
    if parameters.agent is not None:
        if not _is_learner(launch, parameters.agent):
            raise _foreign("the agent is not the learner of this launch")
        # as the launch writes it, for documents go by that
        parameters = replace(parameters, agent=mine)
    if parameters.registration not in {None, launch.registration}:
        raise _foreign(f"the registration {parameters.registration} is not that of this launch")
    if parameters.activity_id is not None:
        if not covers(launch, parameters.activity_id):
            raise _foreign(f"the activity is neither {launch.activity} nor below it")
        if same_iri(parameters.activity_id, launch.activity):
            parameters = replace(parameters, activity_id=launch.activity)
    if method != "GET":
        _spare_others(resource, parameters, launch)
    if resource is Resource.STATEMENTS:
        return _own(parameters, mine, launch)
    return parameters


def _is_learner(launch: Launch, agent: AgentParameter) -> bool:
    return agent.person is not None and same_actor(agent.person, launch.actor)


def _spare_others(resource: Resource, parameters: Parameters, launch: Launch) -> None:
    """Other registrations' documents, and what the LMS told the player (cmi5 section 10)."""
    if resource is Resource.ACTIVITY_PROFILE:
        raise _foreign("an activity's profile is every learner's; a player may only read it")
    if resource is not Resource.STATE:
        return
    if parameters.state_id is None and parameters.registration is None:
        raise _foreign("that would delete the documents of every registration; name this one")
    if launch.kind is not PlayerKind.CMI5:
        return
    if parameters.state_id == LAUNCH_DATA:
        raise _foreign(f"{LAUNCH_DATA} is the LMS's; a player may only read it")
    if parameters.state_id is None:
        raise _foreign(f"that would delete {LAUNCH_DATA} too; delete by stateId")


def _own(parameters: Parameters, mine: AgentParameter, launch: Launch) -> Parameters:
    if parameters.related_agents:
        raise _foreign("related_agents would show what others said")
    if parameters.activity is not None and not covers(launch, parameters.activity):
        raise _foreign(f"the activity is neither {launch.activity} nor below it")
    if parameters.statement_id is not None or parameters.voided_statement_id is not None:
        return parameters  # whose it is will be seen when it is found
    return replace(parameters, agent=mine)


def _foreign(why: str) -> RequestRefused:
    return RequestRefused(
        403, f"{why}; a launch credential speaks for one learner and one activity"
    )
