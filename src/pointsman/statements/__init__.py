"""Stage 2, understand: bytes -> a valid statement -> an observation."""

from pointsman.statements.observe import NoEffect, ReadingRefused, observe
from pointsman.statements.parse import Invalid, Limits, Parsed, Valid, parse
from pointsman.statements.problems import Problem, StatementsRefused
from pointsman.statements.render import render, stamp
from pointsman.statements.statement import Statement

__all__ = [
    "Invalid",
    "Limits",
    "NoEffect",
    "Parsed",
    "Problem",
    "ReadingRefused",
    "Statement",
    "StatementsRefused",
    "Valid",
    "observe",
    "parse",
    "render",
    "stamp",
]
