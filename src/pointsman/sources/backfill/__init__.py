"""History as a source: files of statements, and other learning record stores."""

from __future__ import annotations

from pointsman.sources.backfill.loader import BackfillLoader, BackfillProgress, LoadRate
from pointsman.sources.backfill.lrs_client import LrsClient, LrsSettings
from pointsman.sources.backfill.statement_file import Line, StatementFile

__all__ = [
    "BackfillLoader",
    "BackfillProgress",
    "Line",
    "LoadRate",
    "LrsClient",
    "LrsSettings",
    "StatementFile",
]
