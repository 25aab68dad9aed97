"""Decides what an observation changes of desired state (stage 3). Pure functions."""

from pointsman.domain.uri_template import Template
from pointsman.mapping.identity import AccountTemplate, ConfiguredIdentity, IdentityResolver
from pointsman.mapping.mapper import Mapper
from pointsman.mapping.rules import CourseCompleted, CourseName, MoveOn, Rule

__all__ = [
    "AccountTemplate",
    "ConfiguredIdentity",
    "CourseCompleted",
    "CourseName",
    "IdentityResolver",
    "Mapper",
    "MoveOn",
    "Rule",
    "Template",
]
