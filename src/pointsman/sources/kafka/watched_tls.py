"""The TLS context of Kafka's clients, whose files are loaded again when they change.

A client keeps the context that it was made with, and connects with it again whenever a broker
restarts or ends a connection whose certificate has run out.
"""

from __future__ import annotations

import ssl
from typing import Any

import structlog

from pointsman.domain.clock import SystemClock
from pointsman.sources.kafka.settings import KafkaSecurity
from pointsman.text_files import WatchedFile

log = structlog.get_logger(__name__)


def watched_tls_context(security: KafkaSecurity) -> ssl.SSLContext:
    """What connections are encrypted with. Raises `OSError` for unusable files."""
    context = _WatchedContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_flags = ssl.create_default_context(cafile=security.ca_file).verify_flags
    context.watch(security)
    return context


class _WatchedContext(ssl.SSLContext):
    """Looks at its files before each connection.

    While those can't be used (one of them is new already and the other is not), connections are
    made with those of before, and the log says so once. An authority that is no longer in the file
    is trusted until the next start.
    """

    def watch(self, security: KafkaSecurity) -> None:
        """Load the files, now and whenever they have changed. Raises `OSError`."""
        self._security = security
        clock = SystemClock()
        paths = (security.ca_file, security.cert_file, security.key_file)
        self._files = [WatchedFile(path, clock) for path in paths if path is not None]
        for file in self._files:
            file.new_content()
        self._is_outdated = False
        self._problem = ""
        _load(self, security)

    def wrap_bio(self, *ends: Any, **options: Any) -> ssl.SSLObject:
        """One connection of asyncio's."""
        self._look()
        return super().wrap_bio(*ends, **options)

    def _look(self) -> None:
        try:
            changed = [file.new_content() is not None for file in self._files]
            self._is_outdated = self._is_outdated or any(changed)
            if self._is_outdated:
                # tried first, for what is loaded in part can't be used at all
                _load(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), self._security)
                _load(self, self._security)
                self._is_outdated = False
                log.info("kafka certificate files read again", files=self._names)
            self._problem = ""
        except OSError as error:
            self._is_outdated = True
            if str(error) != self._problem:
                self._problem = str(error)
                log.warning(
                    "kafka certificate files can't be used, those of before stay in force",
                    files=self._names,
                    reason=self._problem,
                    next="correct the files; they are read again by themselves",
                )

    @property
    def _names(self) -> str:
        return ", ".join(str(file.path) for file in self._files)


def _load(context: ssl.SSLContext, security: KafkaSecurity) -> None:
    if security.ca_file is None:
        context.load_default_certs()
    else:
        context.load_verify_locations(security.ca_file)
    if security.cert_file is not None:
        # a key that is encrypted would be asked for at the terminal
        context.load_cert_chain(security.cert_file, security.key_file, password="")
