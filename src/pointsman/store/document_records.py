"""Documents that a store keeps, and their keys. Frozen; times in microseconds since the epoch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

#: xAPI's own, and what we keep the same way: activities as launches describe them, launches, their
#: sessions, the authTokens they bring, which of them are revoked, how much they stored, what is
#: written to see whether it can be, and the list of replicas
DocumentResource = Literal[
    "state",
    "activity_profile",
    "agent_profile",
    "activity",
    "launch",
    "session",
    "launch_token",
    "revocation",
    "usage",
    "usage_of_day",
    "probe",
    "replicas",
]


@dataclass(frozen=True, slots=True)
class DocumentKey:
    """What a document is kept under (xAPI Part 3 section 2.2); "" for what its resource lacks.

    `agent` is an identity as text, and `name` the stateId or profileId. Documents of ours are
    kept under a registration or a learner as their name.
    """

    resource: DocumentResource
    activity: str = ""
    agent: str = ""
    registration: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """Bytes as they came; `etag` is their SHA-1 in hexadecimal digits."""

    content_type: str
    content: bytes
    etag: str
    updated_at: int
