"""Every error that pointsman raises on purpose, sorted by what the caller should do.

    PointsmanError
    ├── Retry                     the same call may succeed later
    │   ├── StoreUnavailable      the store did not commit; nothing was accepted
    │   │   ├── StoreDamaged          the store's file is not sound; a person has to restore it
    │   │   └── StoreRefuses          nor will it, until somebody changes a setting or a right
    │   ├── PlatformUnreachable   no answer came; the request may or may not have run
    │   ├── TokenDelayed          nobody can say at the moment what the learner's authToken is
    │   │   └── TokenSourceDown       whoever is asked for
    │   ├── NoReply               an HTTP request that went out got no answer
    │   ├── SourceUnavailable     what statements are read from gives no answer now
    │   ├── FeedUnavailable       the platform's feed gives no page now
    │   ├── PartitionLost         another consumer has taken the partition over; join again
    │   └── CollisionError        another replica stored the same at the same time
    ├── Pause                     stop asking until something outside changes
    │   └── NoToken               nobody holds an authToken for this learner
    ├── Refuse                    the input is at fault; say so and go on
    │   ├── ConfigError           a setting is wrong: exit code 2
    │   │   └── SchemaError           the database's schema is another version's
    │   ├── InputRefused          an input could not be understood at all
    │   │   ├── StatementsRefused     statements break rules of xAPI; each is named
    │   │   ├── ReadingRefused        a reading makes no sense; the statement is taken without
    │   │   ├── NotStorable           the store can't hold what the input says
    │   │   └── VersionRefused        the request names no version of xAPI that is spoken here
    │   ├── RequestRefused        an HTTP request is answered with a status and a reason
    │   ├── Unauthorized          it is not known who sends
    │   │   ├── CredentialRefused     a launch credential opens nothing
    │   │   │   ├── CredentialExpired     it was ours, and its launch is over
    │   │   │   └── CredentialRevoked     it was ours, and an operator took its launch back
    │   │   └── SignatureRefused      nobody known has signed the body
    │   ├── Forbidden             a launch credential was used for what is not its own
    │   └── StatementConflict     a known statement id came with other content
    └── Bug                       ours: should never be seen
        ├── SendingFailed         a fault of ours while a request was made of some mutations
        └── AwaitedCancelled      what was waited for was cancelled, and this task was not

An error that one module alone raises is defined there. The docstring of an error is its message
where none is given.
"""

from __future__ import annotations


class PointsmanError(Exception):
    """Something went wrong in pointsman."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message if message is not None else (self.__doc__ or "").split("\n")[0])


class Retry(PointsmanError):
    """It may succeed later."""


class StoreUnavailable(Retry):
    """The store did not commit; nothing of this call was accepted."""


class StoreRefuses(StoreUnavailable):
    """The store refuses, and goes on to until somebody acts; nothing of this was accepted."""


class PlatformUnreachable(Retry):
    """The platform gave no answer; the request may or may not have run."""


class SourceUnavailable(Retry):
    """The system that statements are read from gives no answer now."""


class PartitionLost(Retry):
    """Another consumer has taken over a partition; join the group anew."""


class TokenDelayed(Retry):
    """The source of authTokens can't give one at the moment; it says nothing about this learner.

    `retry_after` is what the source says of when to ask again, in seconds.
    """

    def __init__(self, message: str | None = None, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Pause(PointsmanError):
    """It can't go on until something outside changes."""


class NoToken(Pause):
    """There is no authToken for this learner."""


class Refuse(PointsmanError):
    """The input is at fault."""


class ConfigError(Refuse):
    """The configuration is not usable."""


class InputRefused(Refuse):
    """The input could not be understood."""


class NotStorable(InputRefused):
    """The store can't hold what the input says; nothing of it was accepted."""


class VersionRefused(InputRefused):
    """The version header is missing, or names one that is not spoken here."""


class Unauthorized(Refuse):
    """The sender is not known; the message says what is wrong with what was shown."""


class Forbidden(Refuse):
    """A launch credential speaks for its own learner and activity only."""


class StatementConflict(Refuse):
    """A statement with this id and other content is already here (xAPI Part 3 section 2.1.2)."""

    def __init__(self, statement_ids: tuple[str, ...]) -> None:
        self.statement_ids = statement_ids
        super().__init__(
            "already stored with different content: statement " + ", ".join(statement_ids)
        )


class Bug(PointsmanError):
    """This should not have happened; please report it."""
