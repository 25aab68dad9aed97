"""Reads certificates: files of the configuration, and what the other ends show."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import AsyncIterator, Awaitable, Iterator
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from cryptography import x509

from pointsman.config import Settings
from pointsman.doctor import NotChecked, Result
from pointsman.doctor.certificates import Certificate, judge_certificate
from pointsman.domain.clock import Clock
from pointsman.domain.errors import ConfigError
from pointsman.outgoing.proxies import proxy_for
from pointsman.outgoing.settings import OutgoingSettings
from pointsman.store.database_hosts import each_host
from pointsman.text_files import read_text

#: seconds until an end has shown its certificate
_SHOWN = 4.0
#: PostgreSQL's message SSLRequest (protocol 3, section 53.7): length and code; and what means yes
_SSL_REQUEST, _YES = b"\x00\x00\x00\x08\x04\xd2\x16\x2f", b"S"
_KAFKA_PORT, _POSTGRES_PORT = 9092, 5432
_OURS = "renew it and put it into {setting}; it is read again by itself"
_THEIRS = "have it renewed by who runs {end}"
_TRUST = "name the authority that signed it in {ca_file}, or correct the host in {setting}"
_TRUST_OURS = (
    "have the proxy there show a certificate for that host, signed by an authority that browsers "
    "know, or correct {setting}"
)


async def examine_certificates(settings: Settings, clock: Clock) -> AsyncIterator[Result]:
    """One line for each, the files first."""
    rows: list[Certificate | NotChecked] = [*_files(settings)]
    rows += await asyncio.gather(*_ends(settings))
    for row in rows:
        if isinstance(row, NotChecked):
            yield row
        else:
            for result in judge_certificate(row, clock.now()):
                yield result


def _files(settings: Settings) -> Iterator[Certificate]:
    for setting, path in _named_files(settings):
        cure = _OURS.format(setting=setting)
        try:
            certificates = x509.load_pem_x509_certificates(read_text(path).encode())
            ends_at = min(row.not_valid_after_utc.timestamp() for row in certificates)
        except (OSError, ValueError) as error:
            yield Certificate(setting, cure, problem=f"{path} can't be read: {error}")
        else:
            yield Certificate(f"{setting} ({path})", cure, ends_at)


def _named_files(settings: Settings) -> Iterator[tuple[str, Path]]:
    """Own certificates; and authorities, which end too."""
    sections: list[tuple[str, object]] = [("platform", settings.platform)]
    if settings.learners.tokens.service is not None:
        sections.append(("learners.tokens.service", settings.learners.tokens.service))
    sections += [
        (f"sources.kafka {source.name}: security", source.security)
        for source in settings.sources.kafka
    ]
    if settings.http.kafka is not None:
        sections.append(("http.kafka.security", settings.http.kafka.security))
    if settings.delivery_events is not None:
        sections.append(("delivery_events.security", settings.delivery_events.security))
    for name, section in sections:
        for key in ("cert_file", "ca_file"):
            path = getattr(section, key)
            if path is not None:
                yield f"{name}.{key}", path


def _ends(settings: Settings) -> Iterator[Awaitable[Certificate | NotChecked]]:
    """What shows a certificate to us."""
    yield from _web("platform", "url", settings.platform.url, settings.platform)
    service = settings.learners.tokens.service
    if service is not None:
        yield from _web("learners.tokens.service", "url", service.url, service)
    for section, address in (
        ("http", settings.http.public_url),
        ("launches", settings.launches and settings.launches.public_url),
    ):
        if address:
            yield from _web(section, "public_url", address, None)
    for source in settings.sources.kafka:
        if source.security.protocol.endswith("SSL"):
            server = urlsplit(f"//{source.bootstrap_servers[0]}")
            yield _shown(
                f"the broker {source.bootstrap_servers[0]}",
                server.hostname or "",
                server.port or _KAFKA_PORT,
                source.security.ca_file,
                _TRUST.format(
                    ca_file="sources.kafka.security.ca_file",
                    setting="sources.kafka.bootstrap_servers",
                ),
            )
    if settings.store.is_shared:
        for url in each_host(settings.store.url):
            host = urlsplit(url)
            mode = dict(parse_qsl(host.query)).get("sslmode", "prefer")
            if mode not in {"disable", "allow", "prefer"} and host.hostname:
                port = host.port or _POSTGRES_PORT
                end = f"PostgreSQL at {host.hostname}"
                # whether it is trusted is the driver's to say, by sslmode and sslrootcert
                yield _shown(end, host.hostname, port, None, "", asks=True)


def _web(
    section: str, key: str, url: str, own: OutgoingSettings | None
) -> Iterator[Awaitable[Certificate | NotChecked]]:
    """`own` is how the section reaches it; without, it is an address that others reach."""
    setting, outgoing = f"{section}.{key}", own or OutgoingSettings()
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        return
    try:
        proxy = proxy_for(url, outgoing, "proxy", os.environ)
    except ConfigError:
        return  # asking the platform says it
    if proxy is not None:
        why = f"{parts.hostname} is reached through the proxy {proxy.url}"
        yield _not_checked(NotChecked(f"certificate of {setting}", why))
    else:
        trust = _TRUST_OURS if own is None else _TRUST
        trust = trust.format(ca_file=f"{section}.ca_file", setting=setting)
        yield _shown(parts.hostname, parts.hostname, parts.port or 443, outgoing.ca_file, trust)


async def _not_checked(row: NotChecked) -> NotChecked:
    return row


async def _shown(
    end: str, host: str, port: int, ca_file: Path | None, trust_cure: str, *, asks: bool = False
) -> Certificate | NotChecked:
    """The end of the certificate that is shown there, trusted or not; and whether it is trusted.

    `trust_cure` is what to do where it is not. `asks` as PostgreSQL wants it: whether to encrypt
    is asked first.
    """
    cure = _THEIRS.format(end=end)
    # to read when it ends, of one that is not trusted too; nothing is sent on this connection
    anything = ssl.create_default_context()
    anything.check_hostname = False
    anything.verify_mode = ssl.CERT_NONE
    try:
        ends_at = await asyncio.wait_for(_end_of(host, port, anything, asks=asks), _SHOWN)
    except (OSError, TimeoutError, ValueError) as error:
        why = str(error) or f"no answer within {_SHOWN:g} s"
        return NotChecked(f"certificate of {end}", why)
    if asks:
        return Certificate(end, cure, ends_at)
    problem = ""
    try:
        trusting = ssl.create_default_context()
        if ca_file is not None:
            trusting.load_verify_locations(ca_file)
        await asyncio.wait_for(_end_of(host, port, trusting, asks=asks), _SHOWN)
    except ssl.SSLCertVerificationError as error:
        problem = f"its certificate is not trusted: {error.verify_message}"
    except (OSError, TimeoutError):
        pass  # it wants a certificate of ours, or closed: the section's own line says it
    return Certificate(end, cure, ends_at, problem, trust_cure)


async def _end_of(host: str, port: int, context: ssl.SSLContext, *, asks: bool) -> float:
    """Unix seconds. Raises `OSError`, also for an end that does not encrypt."""
    name = None if asks else host
    reader, writer = await asyncio.open_connection(
        host, port, ssl=None if asks else context, server_hostname=name
    )
    try:
        if asks:
            writer.write(_SSL_REQUEST)
            if await reader.read(1) != _YES:
                raise OSError("it does not encrypt, though sslmode wants that")
            await writer.start_tls(context, server_hostname=host)
        shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        return x509.load_der_x509_certificate(shown).not_valid_after_utc.timestamp()
    finally:
        writer.transport.abort()
