"""Stage 3, decide: Observation + rules -> Changes of desired state. Pure functions."""

from pointsman.mapping.identity import Account, ConfiguredIdentity, IdentityResolver
from pointsman.mapping.mapper import Mapping
from pointsman.mapping.rules import Course, CourseCompleted, MoveOn, Rule
from pointsman.mapping.uri_template import Template

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
