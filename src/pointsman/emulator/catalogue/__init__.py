"""What the emulated platform has, read from a TOML file; it never changes while it runs.

What learners do is in `state`.
"""

from pointsman.emulator.catalogue.catalogue import Catalogue
from pointsman.emulator.catalogue.courses import Course, Criterion, Lesson, Meeting, Topic
from pointsman.emulator.catalogue.loading import builtin_catalogue, load_catalogue
from pointsman.emulator.catalogue.paths import (
    CompetencyAssessment,
    LearningPath,
    Milestone,
    MilestoneCourse,
    MilestoneCriterion,
)
from pointsman.emulator.catalogue.people import STUDENT, AwardType, Client, Learner

__all__ = [
    "STUDENT",
    "AwardType",
    "Catalogue",
    "Client",
    "CompetencyAssessment",
    "Course",
    "Criterion",
    "Learner",
    "LearningPath",
    "Lesson",
    "Meeting",
    "Milestone",
    "MilestoneCourse",
    "MilestoneCriterion",
    "Topic",
    "builtin_catalogue",
    "load_catalogue",
]
