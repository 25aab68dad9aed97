"""Records of evidence: what one statement adds to a progress that several make up together.

Frozen, without behaviour; `store/evidence.py` unites what was gathered.
"""

from __future__ import annotations

from pointsman.domain.frozen import record

#: from and to, in seconds
Span = tuple[float, float]


@record
class Evidence:
    """Things that were done, or stretches of a recording that were played.

    All that one learner's changes bring under one `key` is united, and the share of `whole` that
    it makes up gives the change its value: a percentage for topic progress, and for everything
    else the change's own value once the share is complete. It is not for `Falls.ALWAYS`: a share
    never falls.
    """

    #: what it is gathered for, one target's alone; whoever starts anew with a registration has the
    #: registration in it
    key: str
    #: how many items, or seconds, are all; more than 0
    whole: float
    items: frozenset[str] = frozenset()
    #: None where items are counted; empty where a statement tells the length only
    spans: tuple[Span, ...] | None = None
    #: the share that counts as complete
    threshold: float = 1.0
    #: whether a share is progress; without, only what is complete is
    partial: bool = True
    #: once this is complete, what is gathered next; the value then waits for that. It is the same
    #: for all evidence of one key, so that it doesn't matter which of it came last
    then: Evidence | None = None


@record
class Coverage:
    """What a statement says of a recording (xAPI video profile). In seconds."""

    #: None where it does not say what was played
    spans: tuple[Span, ...] | None
    #: infinite where it does not say how long the recording is
    length: float
    threshold: float = 1.0
