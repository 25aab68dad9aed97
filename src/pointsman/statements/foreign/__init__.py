"""Inputs that are no xAPI statements, told as xAPI statements: pure adapters, bytes -> statements.

What they make takes the road of every statement: validated, decided by rules, kept, queried,
replayed. An id is a UUID of what was said, so that a repeat is a duplicate.
"""

from pointsman.statements.foreign.paths import Path, PathTemplate
from pointsman.statements.foreign.scorm_cloud import ScormCloud
from pointsman.statements.foreign.webhooks import Webhook

__all__ = ["Path", "PathTemplate", "ScormCloud", "Webhook"]
