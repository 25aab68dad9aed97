"""Judges what was found out about an installation, each with its cure. Pure: it asks nobody."""

from pointsman.doctor.findings import Finding, Level, NotChecked, Report, Result, fail, ok, warn

__all__ = ["Finding", "Level", "NotChecked", "Report", "Result", "fail", "ok", "warn"]
