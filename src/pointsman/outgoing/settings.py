"""Settings of the way out: proxy, authorities and certificate, for each client that goes out."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, ValidationInfo, field_validator

from pointsman.setting_types import (
    ExistingFile,
    OptionalSecret,
    SecretFile,
    Section,
    valid_so_far,
    web_address,
)

#: in place of a proxy's address: no proxy, whatever the environment says
DIRECT = "direct"


def _proxy(text: str) -> str:
    return text if text == DIRECT else web_address(text)


def tls_context(
    ca_file: Path | None, cert_file: Path | None, key_file: Path | None
) -> ssl.SSLContext:
    """What connections are encrypted with. Raises `ValueError` naming the file.

    The authorities of `ca_file` are trusted beside the system's. `key_file` may be in `cert_file`.
    """
    context = ssl.create_default_context()
    try:
        if ca_file is not None:
            context.load_verify_locations(ca_file)
    except (OSError, ValueError) as error:
        raise ValueError(f"{ca_file} holds no certificate: {_reason(error)}") from None
    try:
        if cert_file is not None:
            # a key that is encrypted would be asked for at the terminal
            context.load_cert_chain(cert_file, key_file, password="")
    except (OSError, ValueError) as error:
        files = cert_file if key_file is None else f"{cert_file} and {key_file}"
        raise ValueError(f"{files}: no certificate with its key: {_reason(error)}") from None
    return context


def _reason(error: Exception) -> str:
    return getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)


class OutgoingSettings(Section):
    """How requests leave the network. Composed into the section of each client that sends some."""

    #: http://HOST:PORT, or "direct"; without it, what HTTPS_PROXY, HTTP_PROXY and NO_PROXY say
    proxy: Annotated[str, AfterValidator(_proxy)] | None = None
    #: what the proxy asks for
    proxy_user: str | None = None
    #: a file with the proxy user's password
    proxy_password_file: SecretFile = None
    #: the proxy user's password
    proxy_password: OptionalSecret = None
    #: PEM: authorities that are trusted beside the system's
    ca_file: ExistingFile | None = None
    #: PEM: our own certificate, and its key where that is in a file of its own
    cert_file: ExistingFile | None = None
    #: PEM: the key of cert_file
    key_file: ExistingFile | None = None

    @field_validator("proxy_user")
    @classmethod
    def _of_a_proxy(cls, user: str | None, info: ValidationInfo) -> str | None:
        if user is not None and info.data.get("proxy") in {None, DIRECT}:
            raise ValueError("is of no use without proxy, which it is shown to")
        if user is not None and ":" in user:
            raise ValueError("must not hold a colon, which ends it in HTTP Basic")
        return user

    @field_validator("proxy_password")
    @classmethod
    def _of_a_user(cls, password: object, info: ValidationInfo) -> object:
        if password is not None and info.data.get("proxy_user") is None:
            raise ValueError("needs proxy_user too")
        return password

    @field_validator("ca_file")
    @classmethod
    def _authorities(cls, path: Path | None) -> Path | None:
        if path is not None:
            tls_context(path, None, None)
        return path

    @field_validator("key_file")
    @classmethod
    def _certificate(cls, path: Path | None, info: ValidationInfo) -> Path | None:
        if not valid_so_far(info, "cert_file"):
            return path
        if path is not None and info.data["cert_file"] is None:
            raise ValueError("needs cert_file too, the certificate of this key")
        if info.data["cert_file"] is not None:
            tls_context(None, info.data["cert_file"], path)
        return path
