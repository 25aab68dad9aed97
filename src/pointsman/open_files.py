"""Lets the process open as many files as its connections need, as far as the system allows."""

from __future__ import annotations

import resource

import structlog

log = structlog.get_logger(__name__)

#: beside the connections of senders: the store, Kafka, the platform, libraries
_OTHERS = 256


def allow_connections(most: int) -> int:
    """Raise the soft limit of open files (RLIMIT_NOFILE) so that there is room for `most`.

    Returns the connections that there is room for.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = most + _OTHERS
    if _covers(soft, needed):
        return most
    allowed = needed if _covers(hard, needed) else hard
    if allowed > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    if allowed == needed:
        return most
    room = max(1, allowed - _OTHERS)
    log.warning(
        "the system allows fewer open files than connections are allowed",
        open_files=allowed,
        connections=room,
        next=f"raise the limit of open files to {needed} (ulimit -n, LimitNOFILE of systemd), or "
        "lower http.connections.most",
    )
    return room


def _covers(limit: int, needed: int) -> bool:
    return limit == resource.RLIM_INFINITY or limit >= needed
