"""Codes for why desired state is parked, and what cures which."""

from __future__ import annotations

from enum import StrEnum


class ParkCode(StrEnum):
    """Why a desired state can't be sent until something outside changes."""

    #: nobody has an authToken for the learner
    NO_TOKEN = "no_token"  # noqa: S105 - a code, not a token
    #: the platform refused the learner's authToken
    TOKEN_REFUSED = "token_refused"  # noqa: S105 - a code, not a token
    #: nobody knows the learner's user id, which attendance needs
    NO_USER_ID = "no_user_id"
    #: the platform refused a request that names its user ids
    USER_ID_REFUSED = "user_id_refused"
    #: the platform refused the mutation itself
    REFUSED_BY_PLATFORM = "refused_by_platform"
    #: it comes after another target of its observation, which is parked
    WAITS_FOR = "waits_for"
    #: it failed as often as `delivery.max_failures` allows
    FAILED_TOO_OFTEN = "failed_too_often"
    #: a fault of pointsman's own ends its delivery, time and again
    INTERNAL_ERROR = "internal_error"
    #: the platform does not show it, although it was sent twice
    DRIFT = "drift"
    #: somebody changed it on the platform on purpose, and its rule lets nothing overwrite that
    PLATFORM_CHANGED = "platform_changed"
    #: an operator has paused the delivery of its kind
    PAUSED = "paused"
    #: an earlier version of pointsman parked it, and its sentence does not tell the code
    UNKNOWN = "unknown"


#: what a new authToken of the learner cures
CURED_BY_TOKEN = frozenset({ParkCode.NO_TOKEN, ParkCode.TOKEN_REFUSED})
#: what a new user id of any learner may cure
CURED_BY_USER_ID = frozenset({ParkCode.NO_USER_ID, ParkCode.USER_ID_REFUSED})
