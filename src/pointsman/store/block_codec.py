"""Compresses the bodies of a commit, as one block."""

from __future__ import annotations

import threading
from functools import cached_property

import zstandard

#: bodies of JSON shrink to about a fifth already
_LEVEL = 1


class _OfThread(threading.local):
    """A compressor works for one thread at a time, and takes longer to make than a small block."""

    @cached_property
    def compressor(self) -> zstandard.ZstdCompressor:
        return zstandard.ZstdCompressor(level=_LEVEL)


_OF_THREAD = _OfThread()


def compress(bodies: bytes) -> bytes:
    """A block of bodies, which is what `zstandard.ZstdDecompressor` reads."""
    return _OF_THREAD.compressor.compress(bodies)
