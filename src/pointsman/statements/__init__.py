"""Stage 2, understand: bytes -> a valid statement -> an observation."""

from pointsman.statements.identity import actor_of, identity_of
from pointsman.statements.observe import NoEffect, observe
from pointsman.statements.packages import JSON, guessed_type, media_type, unpack
from pointsman.statements.parse import Invalid, Limits, Parsed, Valid, parse
from pointsman.statements.problems import Problem, StatementsRefused
from pointsman.statements.readings import ReadingRefused
from pointsman.statements.render import render, stamp
from pointsman.statements.search import Query, authority_key, index_keys, matches, reference
from pointsman.statements.statement import STATEMENT, VOIDED, Statement

__all__ = [
    "JSON",
    "STATEMENT",
    "VOIDED",
    "Invalid",
    "Limits",
    "NoEffect",
    "Parsed",
    "Problem",
    "Query",
    "ReadingRefused",
    "Statement",
    "StatementsRefused",
    "Valid",
    "actor_of",
    "authority_key",
    "guessed_type",
    "identity_of",
    "index_keys",
    "matches",
    "media_type",
    "observe",
    "parse",
    "reference",
    "render",
    "stamp",
    "unpack",
]
