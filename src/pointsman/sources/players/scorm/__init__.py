"""SCORM players: their commits become statements."""
