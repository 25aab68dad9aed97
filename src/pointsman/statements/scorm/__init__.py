"""Translates SCORM commits, as scorm-again 3.x sends them, into xAPI statements."""

from pointsman.statements.scorm.commit import Commit, CommitScore, parse_commit
from pointsman.statements.scorm.commit_order import ScormSession, order_commit
from pointsman.statements.scorm.resume_data import starting_data
from pointsman.statements.scorm.to_xapi import commit_statement

__all__ = [
    "Commit",
    "CommitScore",
    "ScormSession",
    "commit_statement",
    "order_commit",
    "parse_commit",
    "starting_data",
]
