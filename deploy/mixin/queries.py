"""How the metrics of several replicas become one number. Alerts and panels take it from here.

What replicas share (the rows of the store) is the same on each: the largest is the newest. What is
left of the quota is shared too, but the smallest counts: a replica that has not sent for a while
knows less of what others spent. What each replica counts for itself is added up.
"""

from __future__ import annotations

#: what tells one pointsman, with all its replicas, from another
DAEMON = ("namespace", "job")


def _by(labels: tuple[str, ...]) -> str:
    return f"by ({', '.join((*DAEMON, *labels))})"


def shared(series: str, *labels: str) -> str:
    """A gauge that every replica shows alike."""
    return f"max {_by(labels)} ({series})"


#: kinds whose delivery an operator has paused: what is parked of them is so on purpose
PAUSED_KINDS = (
    f"on ({', '.join((*DAEMON, 'kind'))}) label_replace("
    + shared("pointsman_delivery_paused", "what")
    + ' == 1, "kind", "$1", "what", "(.*)")'
)


def least(series: str, *labels: str) -> str:
    """What is left of something shared, and whether all of them are well."""
    return f"min {_by(labels)} ({series})"


def own(expression: str, *labels: str) -> str:
    """What each replica has of its own."""
    return f"sum {_by(labels)} ({expression})"


def increase(series: str, window: str, *labels: str) -> str:
    return own(f"increase({series}[{window}])", *labels)


def rate(series: str, window: str, *labels: str) -> str:
    return own(f"rate({series}[{window}])", *labels)


def quantile(part: float, histogram: str, window: str, *labels: str, selector: str = "") -> str:
    buckets = rate(f"{histogram}_bucket{selector}", window, *labels, "le")
    return f"histogram_quantile({part:g}, {buckets})"
