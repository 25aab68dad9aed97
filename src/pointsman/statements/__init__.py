"""Stage 2, understand: bytes -> a valid statement -> an observation."""

from pointsman.statements.actor_identity import actor_of, identity_of
from pointsman.statements.extension_numbers import ReadingRefused
from pointsman.statements.json_body import JSON, media_type, parse_json
from pointsman.statements.multipart import StatementPackage, guessed_type, unpack
from pointsman.statements.observation import NoEffect, observe
from pointsman.statements.parse import (
    Invalid,
    Limits,
    Parsed,
    Valid,
    check_statements,
    parse,
)
from pointsman.statements.query import Query, authority_key, index_keys, matches, reference
from pointsman.statements.render import render, stamp
from pointsman.statements.statement import STATEMENT, VOIDED, Statement, digest
from pointsman.statements.validation import Problem, StatementsRefused

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
    "StatementPackage",
    "StatementsRefused",
    "Valid",
    "actor_of",
    "authority_key",
    "check_statements",
    "digest",
    "guessed_type",
    "identity_of",
    "index_keys",
    "matches",
    "media_type",
    "observe",
    "parse",
    "parse_json",
    "reference",
    "render",
    "stamp",
    "unpack",
]
