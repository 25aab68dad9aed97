"""History as a source: files of statements, and other learning record stores."""

from __future__ import annotations

from pointsman.sources.backfill.loader import Done, Loader, Pace
from pointsman.sources.backfill.lrs_client import Lrs, LrsSettings
from pointsman.sources.backfill.statement_file import Line, LinesFile

__all__ = ["Done", "Line", "LinesFile", "Loader", "Lrs", "LrsSettings", "Pace"]
