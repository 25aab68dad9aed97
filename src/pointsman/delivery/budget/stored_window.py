"""The books of a quota window as plain values, for JSON in a store, and back. Pure.

Names and order are those of the stored text: a version that changes them reads the former ones too.
What is not there is as at the beginning.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from pointsman.delivery.budget.platform_window import WindowEnd
from pointsman.delivery.budget.quota_window import QuotaWindow
from pointsman.delivery.budget.site_part import SitePart

_SITE = (
    "requests", "points", "counted_points", "sent_at", "read_at", "taken", "others_points",
    "cost", "pace",
)  # fmt: skip


def plain_books(books: QuotaWindow, now: float) -> dict[str, Any]:
    """What still counts then. Infinity is left out: there is none in JSON."""
    log, told = books.log, books.told
    log.forget(now)
    plain: dict[str, Any] = {
        "sent": list(log.counted),
        "on_the_way": {
            str(sender): (one.heard_at, one.requests, one.points)
            for sender, one in log.on_the_way.items()
        },
        "times": (log.times, log.times_before, log.times_until),
        "due": (books.requests_due, books.points_due, books.blocked_until),
    }
    if told.end.not_after > -math.inf:
        plain["told"] = (
            told.end.not_before, told.end.not_after, told.points_left, told.newest_sent_at
        )  # fmt: skip
    if books.site is not None:
        site = {name: getattr(books.site, name) for name in _SITE}
        end = books.site.end
        site["end"] = None if end is None else (end.not_before, end.not_after)
        plain["site"] = site | {"earlier": list(books.site.earlier)}
    return plain


def load_books(books: QuotaWindow, plain: Mapping[str, Any]) -> None:
    """Take up what was stored, in new books."""
    log, told = books.log, books.told
    # as they are: there are hundreds of them, and this is done for each request
    log.counted.extend(plain.get("sent") or ())
    log.requests = sum(requests for _, requests, _ in log.counted)
    log.points = sum(points for _, _, points in log.counted)
    for sender, (heard_at, requests, points) in plain.get("on_the_way", {}).items():
        log.hold(heard_at, sender, requests, points)
    if "times" in plain:
        times, times_before, log.times_until = plain["times"]
        log.times = times and tuple(times)
        log.times_before = times_before and tuple(times_before)
    if "due" in plain:
        books.requests_due, books.points_due, books.blocked_until = plain["due"]
    if "told" in plain:
        not_before, not_after, told.points_left, told.newest_sent_at = plain["told"]
        told.end = WindowEnd(not_before, not_after)
    if books.site is not None and "site" in plain:
        _load_site(books.site, plain["site"])


def _load_site(site: SitePart, plain: Mapping[str, Any]) -> None:
    for name in _SITE:
        if plain[name] is not None:
            setattr(site, name, plain[name])
    site.end = plain["end"] and WindowEnd(*plain["end"])
    site.earlier.extend((taken, pace) for taken, pace in plain["earlier"])
