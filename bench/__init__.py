"""Ratios against a reference measured in the same run; never absolute times, never a test."""
