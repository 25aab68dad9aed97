"""Decides what an observation changes of desired state (stage 3). Pure functions."""

from pointsman.domain.uri_template import Template
from pointsman.mapping.identity import Account, ConfiguredIdentity, IdentityResolver
from pointsman.mapping.mapper import Mapper
from pointsman.mapping.rules import Course, CourseCompleted, MoveOn, Rule

__all__ = [
    "Account",
    "ConfiguredIdentity",
    "Course",
    "CourseCompleted",
    "IdentityResolver",
    "Mapper",
    "MoveOn",
    "Rule",
    "Template",
]
