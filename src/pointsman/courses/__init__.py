"""Reads cmi5 course packages, with limits, and proposes rules and launches for them.

No part of the daemon: a person looks the proposals over.
"""

from pointsman.courses.package import read_course
from pointsman.courses.proposals import (
    course_as_json,
    launch_activity,
    launch_request,
    proposed_rules,
)
from pointsman.courses.structure import AssignableUnit, Block, CourseStructure

__all__ = [
    "AssignableUnit",
    "Block",
    "CourseStructure",
    "course_as_json",
    "launch_activity",
    "launch_request",
    "proposed_rules",
    "read_course",
]
