"""The words for an address that can't be listened on: what is wrong, and what to do."""

from __future__ import annotations

import errno

_LOWEST_FREE_PORT = 1024


def cannot_listen(
    error: OSError,
    host: str,
    port: int,
    *,
    host_setting: str,
    port_setting: str,
    reuse_port: bool = False,
) -> str:
    """A message from what the system said; the settings are named as their reader knows them.

    With `reuse_port` other processes may listen there, if they say so too.
    """
    if error.errno == errno.EADDRINUSE and reuse_port:
        return (
            f"port {port} ({port_setting}) is in use on {host} by a process that does not share "
            "it: all that listen there need http.reuse_port = true, and the same user "
            f"(`ss -ltnp 'sport = :{port}'` names them)"
        )
    if error.errno == errno.EADDRINUSE:
        return (
            f"port {port} ({port_setting}) is in use on {host}; stop what listens there "
            f"(`ss -ltnp 'sport = :{port}'` names it), or set another {port_setting}"
        )
    if error.errno in {errno.EACCES, errno.EPERM}:
        why = (
            f"a port below {_LOWEST_FREE_PORT} needs root or CAP_NET_BIND_SERVICE"
            if port < _LOWEST_FREE_PORT
            else "the system does not allow it"
        )
        return (
            f"port {port} ({port_setting}): no permission to listen there, {why}; "
            f"set another {port_setting}"
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return (
            f"{host_setting}: this machine has no address {host}; 127.0.0.1 is this machine alone, "
            "0.0.0.0 is every address of it"
        )
    return f"{host_setting}, {port_setting}: can't listen on {host} port {port}: {_words(error)}"


def _words(error: OSError) -> str:
    return error.strerror or str(error)
