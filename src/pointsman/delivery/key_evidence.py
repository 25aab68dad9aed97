"""Whether a refused credential is the apiKey or a learner's authToken. No I/O.

A request that the platform took after the refused one was sent shows that the key is good. Without
one the platform is asked once more for nobody (`Platform.probe`). Some platforms refuse
that too: it is found out when the key works just before and just after.
"""

from __future__ import annotations

from dataclasses import dataclass

#: seconds between a refused probe and a request that works; in more the key may have been changed
_SAME_KEY = 10.0


@dataclass(slots=True)
class KeyEvidence:
    """What answers have shown. Times are those of sending, on the monotonic clock."""

    #: the newest request whose apiKey was taken
    _worked_at: float = float("-inf")
    _probe_refused_at: float | None = None
    #: None: the probe has not yet shown whether it can be believed
    _probe_is_truthful: bool | None = None

    @property
    def has_worked(self) -> bool:
        """Whether the key was ever taken."""
        return self._worked_at > float("-inf")

    @property
    def probe_is_useless(self) -> bool:
        """Whether the platform refuses the probe though the key is good."""
        return self._probe_is_truthful is False

    @property
    def may_be_the_token(self) -> bool:
        """Whether a refused probe may mean nothing: the key has worked, the probe never has."""
        return self.has_worked and not self._probe_is_truthful

    def taken(self, sent_at: float) -> None:
        """A request that was sent then was taken, or was refused for something else."""
        refused = self._probe_refused_at
        if refused is not None and self.may_be_the_token and 0 <= sent_at - refused <= _SAME_KEY:
            self._probe_is_truthful = False
        self._worked_at = max(self._worked_at, sent_at)

    def probe_taken(self, sent_at: float) -> None:
        """The platform took a request for nobody."""
        self._probe_is_truthful = True
        self._probe_refused_at = None
        self._worked_at = max(self._worked_at, sent_at)

    def probe_refused(self, sent_at: float) -> None:
        """The platform refused a request for nobody."""
        self._probe_refused_at = sent_at

    def is_good_since(self, sent_at: float) -> bool:
        """Whether the key was taken for a request that was sent then or later."""
        return self._worked_at >= sent_at

    def is_refused_since(self, sent_at: float) -> bool:
        """Whether a probe that was sent then or later was refused."""
        return self._probe_refused_at is not None and self._probe_refused_at >= sent_at
