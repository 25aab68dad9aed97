"""Who runs a command and where, for the record of what operators do."""

from __future__ import annotations

import getpass
import os
import socket
import time
from collections.abc import Mapping

from pointsman.domain.clock import micros
from pointsman.domain.operator_actions import ActionKind, OperatorAction


def begun(
    kind: ActionKind, details: Mapping[str, str | int | None], *, learner: str = ""
) -> OperatorAction:
    """The action that this command begins; details that are None or "" were not asked for."""
    asked = {name: value for name, value in details.items() if value is not None and value != ""}
    return OperatorAction(micros(time.time()), kind, _user(), _origin(), learner, asked)


def _user() -> str:
    """The user, and who it was before sudo."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        user = f"uid {os.getuid()}"
    before = os.environ.get("SUDO_USER", "")
    return f"{user}, sudo of {before}" if before and before != user else user


def _origin() -> str:
    """The host, and the address that the terminal is connected from."""
    client = os.environ.get("SSH_CONNECTION", "").partition(" ")[0]
    return f"{socket.gethostname()}, ssh from {client}" if client else socket.gethostname()
