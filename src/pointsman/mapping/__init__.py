"""Stage 3, decide: Observation + rules -> Changes of desired state. Pure functions."""

from pointsman.mapping.decide import Mapping
from pointsman.mapping.identity import Account, ConfiguredIdentity, IdentityResolver
from pointsman.mapping.rules import Course, CourseCompleted, MoveOn, Rule
from pointsman.mapping.template import Template

__all__ = [
    "Account",
    "ConfiguredIdentity",
    "Course",
    "CourseCompleted",
    "IdentityResolver",
    "Mapping",
    "MoveOn",
    "Rule",
    "Template",
]
