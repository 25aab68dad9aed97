"""Names a learner by a keyed hash, where the learner's own name must not be written.

The key is the installation's secret, so that nobody else can try addresses until one fits.
"""

from __future__ import annotations

import hashlib
import re

#: how a pseudonym begins, so that it can be told from a learner's name
PREFIX = "learner:"
#: bytes; as a signature of its own kind it has nothing in common with other hashes of the key
_DIGEST, _PURPOSE = 8, b"learner"
#: stands for every learner where there is no key yet
UNKEYED = f"{PREFIX}unknown"
_PSEUDONYM = re.compile(f"{PREFIX}[0-9a-f]{{{2 * _DIGEST}}}")


class Pseudonyms:
    """Pseudonyms under one key, which may come later (`use`)."""

    def __init__(self, key: bytes = b"") -> None:
        self._key = key

    def use(self, key: bytes) -> None:
        """From now on, under this key."""
        self._key = key

    def of(self, learner: str) -> str:
        """`learner:` and 16 hexadecimal digits; always the same for one learner."""
        if not self._key:
            return UNKEYED
        name = learner.encode("utf-8", "surrogatepass")
        digest = hashlib.blake2b(name, digest_size=_DIGEST, key=self._key[:64], person=_PURPOSE)
        return f"{PREFIX}{digest.hexdigest()}"


def is_pseudonym(text: str) -> bool:
    """Whether it is one, and no learner's name."""
    return _PSEUDONYM.fullmatch(text) is not None
