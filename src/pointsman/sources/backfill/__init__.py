"""History as a source: files of statements, and other learning record stores."""

from __future__ import annotations

from pointsman.sources.backfill.lines import Line, LinesFile
from pointsman.sources.backfill.loading import Done, Loader, Pace
from pointsman.sources.backfill.lrs import Lrs, LrsSettings

__all__ = ["Done", "Line", "LinesFile", "Loader", "Lrs", "LrsSettings", "Pace"]
