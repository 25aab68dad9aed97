"""Tells of our own faults: each with its traceback once, then in one line each time."""

from __future__ import annotations

import traceback

import structlog

from pointsman.domain.log_steps import REPORT_IT

log = structlog.get_logger(__name__)

#: so many places in the code are remembered
_MOST = 1_000


class FaultLog:
    """Remembers which exceptions were told, by their type and the line that raised them."""

    def __init__(self) -> None:
        self._times: dict[tuple[str, str, int], int] = {}

    def tell(self, event: str, error: BaseException, **keys: object) -> None:
        """Log `event` as an error; with the traceback when it is the first of its kind."""
        frames = traceback.extract_tb(error.__traceback__)
        last = frames[-1] if frames else None
        place = (last.filename, last.lineno or 0) if last else ("", 0)
        signature = (type(error).__name__, *place)
        times = self._times.get(signature, 0) + 1
        if times > 1 or len(self._times) < _MOST:
            self._times[signature] = times
        log.error(
            event,
            cause=cause(error),
            times=times,
            next=REPORT_IT,
            exc_info=error if times == 1 else None,
            **keys,
        )


def cause(error: BaseException) -> str:
    """Type and words of an exception, in one line."""
    words = " ".join(str(error).split())[:300]
    return f"{type(error).__name__}: {words}" if words else type(error).__name__
