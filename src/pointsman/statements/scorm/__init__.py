"""SCORM commits, as scorm-again 3.x sends them -> xAPI statements about the launch's activity."""

from pointsman.statements.scorm.commit import Commit, CommitScore, read
from pointsman.statements.scorm.commit_order import ScormSession, place
from pointsman.statements.scorm.resume_data import starting_data
from pointsman.statements.scorm.to_xapi import statement

__all__ = ["Commit", "CommitScore", "ScormSession", "place", "read", "starting_data", "statement"]
