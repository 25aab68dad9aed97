"""What a person can do about a trouble that any stage may meet, for the `next` of a log line."""

from __future__ import annotations

STORE_AWAY = (
    "see that the store of store.url runs and has room; nothing is lost, and it goes on by itself"
)
REPORT_IT = "report it, with the traceback that the log has; what is under way is tried again"
NOTHING = "nothing: it goes on by itself"
#: the route of a request whose path is none of ours
UNKNOWN_ROUTE = "unknown"
