"""cmi5 courses, as their packages describe them: read with limits, and turned into proposals.

No part of the daemon: a person looks the proposals over.
"""

from pointsman.courses.package import read_course
from pointsman.courses.proposals import activity_of, described, launch_of, rules
from pointsman.courses.structure import AssignableUnit, Block, Course

__all__ = [
    "AssignableUnit",
    "Block",
    "Course",
    "activity_of",
    "described",
    "launch_of",
    "read_course",
    "rules",
]
