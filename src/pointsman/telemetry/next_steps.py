"""What a person can do about what goes wrong, for the `next` of a log line."""

from __future__ import annotations

from http import HTTPStatus

from pointsman.domain.park_codes import ParkCode
from pointsman.platforms.base import RequestOutcome
from pointsman.store.confirmation_records import EventOutcome

#: the answers to a sender that say that nothing was taken; what is left out is no loss
OF_STATUS = {
    HTTPStatus.BAD_REQUEST: "the sender has to mend it; the answer that it got names what is wrong",
    HTTPStatus.UNAUTHORIZED: "compare what the sender shows with `credentials` of its source, or "
    "launch the player again",
    HTTPStatus.FORBIDDEN: "a launched player speaks for its own launch only; give the launch more "
    "in `activities` of POST /launches",
    HTTPStatus.METHOD_NOT_ALLOWED: "the sender uses a method that the resource does not have; "
    "docs/http.md lists what there is",
    HTTPStatus.REQUEST_TIMEOUT: "the sender is too slow, or its network is",
    HTTPStatus.CONFLICT: "the sender gives one id to two things; it must make a new UUID for "
    "each statement",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "send less at once, or raise the limit that "
    "the reason names, http.max_body_bytes where it names none",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "the sender has to send JSON, or multipart/mixed, "
    "uncompressed",
    HTTPStatus.TOO_MANY_REQUESTS: "the sender is faster than it may be; it has to wait as "
    "Retry-After says, or the setting that the reason names has to be higher",
    HTTPStatus.SERVICE_UNAVAILABLE: "mend what the reason names: room on the volume of store.url, "
    "the database, the broker; senders were told to come again",
}

#: a path is not in the log: it may hold a credential
OF_UNKNOWN_PATH = (
    "if it is a player's, mend its endpoint: it ends with /xapi; GET / says what answers here"
)

#: a signed callback has no credential, but a signature
OF_CALLBACK = (
    "compare the secret on both sides, and both clocks; docs/players/webhook.md says what is signed"
)

#: by why a connection was closed; an idle one that made room is no trouble by itself
OF_CLOSED = {
    "slow_head": "who connects and says nothing, or little at a time, is cut off: nothing is to be "
    "done, but for a proxy that opens connections ahead; let it wait less than "
    "http.connections.head_seconds",
    "large_head": "the sender's request line and headers are larger than any player's",
    "unread_answer": "the sender does not read its answers; nothing is to be done",
    "full": "if these are players, raise http.connections.most; else let the proxy in front "
    "limit connections (docs/http.md)",
    "full_for_address": "if the address is your proxy's, name it in http.trusted_proxies; if many "
    "learners share it, raise http.connections.most_of_address",
}

OF_ANSWER = {
    RequestOutcome.KEY_REFUSED: "correct platform.api_key, then `pointsman reload`; nothing is "
    "lost meanwhile",
    RequestOutcome.THROTTLED: "another client spends the instance's quota: lower "
    "platform.limits.share, or correct platform.limits; `pointsman platform budget` shows what is "
    "left",
    RequestOutcome.UNREACHABLE: "is platform.url right, and the platform up? It is tried again by "
    "itself, and nothing is lost",
}

OF_PARK_CODE = {
    ParkCode.NO_TOKEN: "give the learner an authToken where learners.tokens says; it goes on by "
    "itself then",
    ParkCode.TOKEN_REFUSED: "give the learner a new authToken where learners.tokens says; it goes "
    "on by itself then",
    ParkCode.NO_USER_ID: "give the learner's userId beside the authToken; it goes on by itself "
    "then",
    ParkCode.USER_ID_REFUSED: "correct the learner's userId; it goes on by itself then",
    ParkCode.REFUSED_BY_PLATFORM: "mend what the reason names, then `pointsman parked retry`",
    ParkCode.WAITS_FOR: "cure the other target; this one follows by itself",
    ParkCode.FAILED_TOO_OFTEN: "see what the platform says, then `pointsman parked retry`",
    ParkCode.INTERNAL_ERROR: "report it, with the traceback that the log has; then `pointsman "
    "parked retry`",
    ParkCode.DRIFT: "see on the platform why it does not stay, then `pointsman parked retry`",
    ParkCode.PLATFORM_CHANGED: "somebody changed it on the platform on purpose; if it has "
    "to be sent anyway, `pointsman parked retry`",
    ParkCode.PAUSED: "`pointsman resume` when it may be sent again",
    ParkCode.UNKNOWN: "see `pointsman parked list`",
}

#: what becomes of state that somebody changed on the platform on purpose
OF_PLATFORM_CHANGE = {
    EventOutcome.TAKEN_OVER: "nothing is to be done: what the learner does later counts from there",
    EventOutcome.CONTRADICTED: "it is not sent again; `pointsman explain --learner` says what is "
    "wanted, and on_platform_change of its rule what becomes of it",
}

OF_RETRY = "it is tried again by itself; if it lasts, the reason says whom to ask"
OF_CLOCK = (
    "set the clock where the player runs: what is stamped too early loses against what is "
    "newer, and what is stamped in the future counts as of its arrival"
)
OF_LEFT_OUT = (
    "tell the content's author; the rest of what it says was done, and "
    "pointsman_readings_left_out_total counts how often"
)
OF_UNMATCHED = "write a rule; `pointsman unmatched` proposes some, `pointsman replay` applies it"


def of_dead_letter(source: str) -> str:
    return f"pointsman dead-letters list --source {source}"
