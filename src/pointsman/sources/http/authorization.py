"""Who is let in at xAPI's resources: a source with its credentials, or a launched player."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pointsman.domain.launch import Launch
from pointsman.sources.http.auth import Authenticator, Unauthorized
from pointsman.sources.players import KnownLaunches, Passes, PassRefused, Purpose
from pointsman.sources.players.credentials import of_authorization

#: the source that everything belongs to that launched players say; no configured one has its name
LAUNCHED = "launch"


@dataclass(frozen=True, slots=True)
class Admitted:
    """Who sends. A launched player speaks for its launch only."""

    source: str
    launch: Launch | None = None


class Door:
    """Without `passes` and `launches` no player is launched."""

    def __init__(
        self,
        authenticator: Authenticator,
        passes: Passes | None = None,
        launches: KnownLaunches | None = None,
    ) -> None:
        self._authenticator = authenticator
        self._passes = passes
        self._launches = launches

    async def admit(self, authorization: str | None) -> Admitted:
        """Raises `Unauthorized`, `PassRefused` and `StoreUnavailable`."""
        try:
            return Admitted(self._authenticator.source(authorization))
        except Unauthorized:
            token = of_authorization(authorization)
            if token is None or self._passes is None:
                raise
        return Admitted(LAUNCHED, await self.launch(token, Purpose.XAPI))

    async def launch(self, token: str, purpose: Purpose) -> Launch:
        """The launch that a pass is of. Raises `PassRefused` and `StoreUnavailable`."""
        if self._passes is None or self._launches is None:
            raise PassRefused("there are no launches here")
        shown = self._passes.check(token, purpose)
        launch = await self._launches.find(shown.registration, session=shown.session)
        if launch is None or (launch.learner, launch.activity) != (shown.learner, shown.activity):
            raise PassRefused("this launch is not known any longer; start the activity again")
        # the session of the credential, which need not be the newest
        return replace(launch, session=shown.session)
