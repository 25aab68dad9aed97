"""Names an installation: the same on all its replicas, and of no use to who knows it. Pure."""

from __future__ import annotations

import hashlib
import hmac

#: hexadecimal digits; enough to tell installations apart
_DIGITS = 16


def installation_name(secret: bytes) -> str:
    """Made with the secret of the store; nothing of the secret can be learned from it."""
    return hmac.new(secret, b"installation\0", hashlib.sha256).hexdigest()[:_DIGITS]
