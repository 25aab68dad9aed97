"""Who is let in at xAPI's resources: a source with its credentials, or a launched player."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pointsman.domain.launch import Launch
from pointsman.sources.http.auth import Authenticator, Unauthorized
from pointsman.sources.players import CredentialIssuer, CredentialRefused, LaunchCache, Purpose
from pointsman.sources.players.credentials import credential_from_header

#: the source that everything belongs to that launched players say; no configured one has its name
LAUNCHED = "launch"


@dataclass(frozen=True, slots=True)
class AuthorizedSender:
    """Who sends. A launched player speaks for its launch only."""

    source: str
    launch: Launch | None = None


class RequestAuthorizer:
    """Without `passes` and `launches` no player is launched."""

    def __init__(
        self,
        authenticator: Authenticator,
        passes: CredentialIssuer | None = None,
        launches: LaunchCache | None = None,
    ) -> None:
        self._authenticator = authenticator
        self._passes = passes
        self._launches = launches

    async def admit(self, authorization: str | None) -> AuthorizedSender:
        """Raises `Unauthorized`, `CredentialRefused` and `StoreUnavailable`."""
        try:
            return AuthorizedSender(self._authenticator.source(authorization))
        except Unauthorized:
            token = credential_from_header(authorization)
            if token is None or self._passes is None:
                raise
        return AuthorizedSender(LAUNCHED, await self.launch(token, Purpose.XAPI))

    async def launch(self, token: str, purpose: Purpose) -> Launch:
        """The launch that a pass is of. Raises `CredentialRefused` and `StoreUnavailable`."""
        if self._passes is None or self._launches is None:
            raise CredentialRefused("there are no launches here")
        shown = self._passes.check(token, purpose)
        launch = await self._launches.find(shown.registration, session=shown.session)
        if launch is None or (launch.learner, launch.activity) != (shown.learner, shown.activity):
            raise CredentialRefused("this launch is not known any longer; start the activity again")
        # the session of the credential, which need not be the newest
        return replace(launch, session=shown.session)
