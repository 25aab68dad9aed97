"""Translates what other systems send into xAPI statements: pure functions of bytes.

What they make takes the road of every statement: validated, decided by rules, kept, queried,
replayed. An id is a UUID of what was said, so that a repeat is a duplicate.
"""

from pointsman.statements.adapters.json_paths import Path, PathTemplate
from pointsman.statements.adapters.scorm_cloud import ScormCloud
from pointsman.statements.adapters.webhooks import Webhook

__all__ = ["Path", "PathTemplate", "ScormCloud", "Webhook"]
