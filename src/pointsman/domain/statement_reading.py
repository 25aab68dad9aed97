"""What a stored statement says, and what the rules of now make of it, for whoever explains it."""

from __future__ import annotations

from dataclasses import dataclass

from pointsman.domain.records import Actor, Decision, Observation


@dataclass(frozen=True, slots=True)
class StatementReading:
    """`observation` is None where it says nothing about one learner and one activity."""

    #: None for a group
    actor: Actor | None
    #: the verb's IRI
    verb: str
    #: the activity's IRI; empty where its object is none
    activity: str
    observation: Observation | None
    decision: Decision
