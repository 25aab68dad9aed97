"""The TLS context of a client, made again when one of its files changes."""

from __future__ import annotations

import ssl

import structlog

from pointsman.domain.clock import Clock
from pointsman.outgoing.settings import OutgoingSettings, tls_context
from pointsman.text_files import WatchedFile

log = structlog.get_logger(__name__)

#: seconds between two looks at the files
_LOOK_EVERY = 1.0


class WatchedCertificates:
    """New connections are made with the files of now.

    While those can't be used (one of them is new already and the other is not), the context of
    before stays in force, and the log says so once.
    """

    def __init__(self, settings: OutgoingSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        paths = (settings.ca_file, settings.cert_file, settings.key_file)
        self._files = [WatchedFile(path, clock) for path in paths if path is not None]
        self._context: ssl.SSLContext | None = None
        self._look_again = 0.0
        self._problem = ""

    def context(self) -> ssl.SSLContext | bool:
        """What new connections are encrypted with; True for the system's authorities alone."""
        if not self._files:
            return True
        now = self._clock.monotonic()
        if self._context is None or now >= self._look_again:
            self._look_again = now + _LOOK_EVERY
            self._look()
        return True if self._context is None else self._context

    def _look(self) -> None:
        settings = self._settings
        try:
            changed = [file.new_content() is not None for file in self._files]
            if any(changed) or self._context is None:
                self._context = tls_context(settings.ca_file, settings.cert_file, settings.key_file)
                self._problem = ""
        except (OSError, ValueError) as error:
            if str(error) != self._problem:
                self._problem = str(error)
                log.warning(
                    "certificate files can't be used, those of before stay in force",
                    reason=self._problem,
                    next="correct the files; they are read again by themselves",
                )
