"""Turns bytes into valid statements, and those into observations (stage 2)."""

from pointsman.statements.actor_identity import actor_of, identity_of
from pointsman.statements.equality import digest
from pointsman.statements.json_body import (
    JSON,
    check_values,
    media_type,
    parse_json,
    read_json,
    write_json,
)
from pointsman.statements.multipart import StatementPackage, guessed_type, unpack
from pointsman.statements.observation import (
    NoEffect,
    check_readings,
    clock_offset,
    observe,
    registrations_of,
)
from pointsman.statements.parse import (
    Invalid,
    Parsed,
    Tolerance,
    Valid,
    check_statements,
    parse,
)
from pointsman.statements.query import (
    Query,
    authority_key,
    index_keys,
    matches,
    referenced_statement,
)
from pointsman.statements.query import key as index_key
from pointsman.statements.render import render, timestamp_of
from pointsman.statements.settings import LaunchedLimits, Limits
from pointsman.statements.statement import STATEMENT, VOIDED, Statement
from pointsman.statements.validation import Problem, StatementsRefused

__all__ = [
    "JSON",
    "STATEMENT",
    "VOIDED",
    "Invalid",
    "LaunchedLimits",
    "Limits",
    "NoEffect",
    "Parsed",
    "Problem",
    "Query",
    "Statement",
    "StatementPackage",
    "StatementsRefused",
    "Tolerance",
    "Valid",
    "actor_of",
    "authority_key",
    "check_readings",
    "check_statements",
    "check_values",
    "clock_offset",
    "digest",
    "guessed_type",
    "identity_of",
    "index_key",
    "index_keys",
    "matches",
    "media_type",
    "observe",
    "parse",
    "parse_json",
    "read_json",
    "referenced_statement",
    "registrations_of",
    "render",
    "timestamp_of",
    "unpack",
    "write_json",
]
