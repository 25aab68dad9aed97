"""An authority of one's own, and what it signs: files for servers and clients."""

from __future__ import annotations

import ssl
from pathlib import Path

import trustme


class Authority:
    """Its files are in `folder`."""

    def __init__(self, folder: Path, name: str = "ca") -> None:
        self._folder = folder
        self._name = name
        self._ca = trustme.CA()
        self.file = folder / f"{name}.pem"
        self._ca.cert_pem.write_to_path(str(self.file))

    def server(self, host: str) -> ssl.SSLContext:
        """For a server that asks its clients for a certificate, and shows its own."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._ca.issue_cert(host).configure_cert(context)
        self._ca.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
        return context

    def client(self, name: str) -> tuple[Path, Path]:
        """A client's certificate, and its key."""
        made = self._ca.issue_cert(f"{name}@example.com", common_name=name)
        cert, key = self._folder / "client.pem", self._folder / "client.key"
        cert.write_bytes(made.cert_chain_pems[0].bytes())
        key.write_bytes(made.private_key_pem.bytes())
        return cert, key
