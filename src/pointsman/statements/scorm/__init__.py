"""SCORM commits, as scorm-again 3.x sends them -> xAPI statements about the launch's activity."""

from pointsman.statements.scorm.commit import Commit, Score, read
from pointsman.statements.scorm.commit_order import Session, place
from pointsman.statements.scorm.resume_data import starting_data
from pointsman.statements.scorm.to_xapi import statement

__all__ = ["Commit", "Score", "Session", "place", "read", "starting_data", "statement"]
