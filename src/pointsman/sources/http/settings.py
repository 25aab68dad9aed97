"""Settings [http] and [[sources.http]]: where the daemon listens, and who may send."""

from __future__ import annotations

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from pointsman.setting_types import (
    Names,
    RequiredStrongSecret,
    SecretFile,
    Section,
    SourceName,
    WebAddress,
    no_secret,
    repeated,
    require_some,
    valid_so_far,
    web_address,
)
from pointsman.sources.kafka.settings import KafkaTopicSettings
from pointsman.sources.settings import CredentialSettings
from pointsman.statements.settings import Limits

_HOST_NAME = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?")


class OperatorKeySettings(Section):
    """One of [http.operator] keys: who may open the operator's page at /ui, and do what."""

    #: as the record of actions has it
    name: str = Field(min_length=1, max_length=64)
    #: a viewer reads everything and changes nothing
    role: Literal["viewer", "operator"] = "operator"
    #: a file with the key
    key_file: SecretFile = None
    #: the key, which opens the page at /ui
    key: RequiredStrongSecret = Field(default_factory=no_secret)


class OperatorListenerSettings(Section):
    """[http.operator]: the listener for metrics, probes, launches and the operator's own requests.

    The operator's network reaches it, and players do not.
    """

    #: the address that this listener uses
    host: str = Field(default="127.0.0.1", min_length=1)
    #: its port, another one than http.port
    port: int = Field(default=8081, ge=1, le=65535)
    #: under which names it answers, beside localhost, `host` and all addresses
    hosts: Names = ()
    #: who may open /ui; none: there is no such page
    keys: tuple[OperatorKeySettings, ...] = ()

    @field_validator("hosts")
    @classmethod
    def _host_names(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        for host in hosts:
            if not _HOST_NAME.fullmatch(host):
                raise ValueError(
                    'must hold host names such as "pointsman-operator", without scheme and port; '
                    f"{host!r} is none"
                )
        return hosts

    @field_validator("keys")
    @classmethod
    def _names_differ(
        cls, keys: tuple[OperatorKeySettings, ...]
    ) -> tuple[OperatorKeySettings, ...]:
        twice = repeated(key.name for key in keys)
        if twice is not None:
            raise ValueError(f"has the name {twice!r} twice; it says who did what")
        return keys


#: addresses that mean every address of this machine
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - not listened on


class ConnectionSettings(Section):
    """[http.connections]: how long a connection may take, and how many there may be."""

    #: for the request line and headers, from their first byte; a new connection has as long
    head_seconds: float = Field(default=15, gt=0, le=3_600)
    #: for a whole body
    body_seconds: float = Field(default=30, gt=0, le=3_600)
    #: between two requests, and for an answer of which nothing is read
    idle_seconds: float = Field(default=75, gt=0, le=3_600)
    #: in all, on each port
    most: int = Field(default=2_000, ge=10)
    #: from one address that is none of `trusted_proxies`; a /64 of IPv6 is one
    most_of_address: int = Field(default=500, ge=1)


class HttpSettings(Limits):
    """[http]: where the daemon listens, and what a request may be."""

    #: the address that the daemon listens on
    host: str = Field(default="0.0.0.0", min_length=1)  # noqa: S104 - it runs in a container
    #: the port for players and other senders
    port: int = Field(default=8080, ge=1, le=65535)
    #: other processes on the same PostgreSQL may listen on `port` too, on Linux (SO_REUSEPORT)
    reuse_port: bool = False
    #: of a request's body, decompressed
    max_body_bytes: int = Field(default=10_485_760, ge=1_024)
    #: of all bodies that are being read or dealt with, a quarter of them from senders not yet known
    max_bytes_in_flight: int = Field(default=67_108_864, ge=1_048_576)
    #: how senders reach this daemon, with the path in front of /xapi where there is one; none =
    #: that of [launches]
    public_url: WebAddress | None = None
    #: how long a connection may take, and how many there may be
    connections: ConnectionSettings = Field(default_factory=ConnectionSettings)
    #: networks of the proxies in front, whose word for the sender's address is believed
    trusted_proxies: Names = ()
    #: the header in which they say it
    forwarded_header: Literal["X-Forwarded-For", "Forwarded"] = "X-Forwarded-For"
    #: how often an address may show credentials that are not known; who guesses has to wait
    failed_attempts_per_minute: float = Field(default=30, ge=1, le=100_000)
    #: none: everything is on `port`
    operator: OperatorListenerSettings | None = None
    #: web origins whose pages may send, or "*"
    cors_origins: Names = ()
    #: how long after SIGTERM the listener stays, so that load balancers learn of it
    drain_delay_seconds: float = Field(default=5, ge=0, le=3_600)
    #: how long a stop may take after that
    drain_seconds: float = Field(default=20, ge=0, le=3_600)
    #: where a statement is kept before it is answered: the store, or a topic that a source reads
    intake: Literal["store", "kafka"] = "store"
    #: the topic that statements go to; only with intake = "kafka"
    kafka: KafkaTopicSettings | None = None

    @property
    def probes_url(self) -> str:
        """Where probes are answered, seen from this machine."""
        listener = self.operator or self
        return _url(listener.host, listener.port)

    @property
    def intake_url(self) -> str:
        """Where statements are taken, seen from this machine."""
        return _url(self.host, self.port)

    @property
    def operator_hosts(self) -> tuple[str, ...]:
        """The names under which the listener for operators answers."""
        return () if self.operator is None else (*self.operator.hosts, self.operator.host)

    @property
    def proxies(self) -> tuple[IPv4Network | IPv6Network, ...]:
        return tuple(ip_network(network) for network in self.trusted_proxies)

    @field_validator("max_bytes_in_flight")
    @classmethod
    def _more_than_one_body(cls, most: int, info: ValidationInfo) -> int:
        if valid_so_far(info, "max_body_bytes") and most < (body := info.data["max_body_bytes"]):
            raise ValueError(f"must not be less than http.max_body_bytes, which is {body}")
        return most

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, networks: tuple[str, ...]) -> tuple[str, ...]:
        for network in networks:
            try:
                ip_network(network)
            except ValueError:
                raise ValueError(
                    f'must hold addresses or networks such as "10.0.0.0/8"; {network!r} is none'
                ) from None
        return networks

    @field_validator("operator")
    @classmethod
    def _another_port(
        cls, operator: OperatorListenerSettings | None, info: ValidationInfo
    ) -> OperatorListenerSettings | None:
        if operator is not None and valid_so_far(info, "port"):
            port = info.data["port"]
            if operator.port == port:
                raise ValueError(
                    f"must have another port than http.port, which is {port} too; leave the "
                    "section out to have everything on one port"
                )
        if operator is None and valid_so_far(info, "reuse_port") and info.data["reuse_port"]:
            raise ValueError(
                "is missing; http.reuse_port = true needs it, with another port for each process: "
                "on the port that they share, metrics and probes would be those of any one of them"
            )
        return operator

    @field_validator("kafka")
    @classmethod
    def _where_to(
        cls, kafka: KafkaTopicSettings | None, info: ValidationInfo
    ) -> KafkaTopicSettings | None:
        if not valid_so_far(info, "intake"):
            return kafka
        if info.data["intake"] == "kafka" and kafka is None:
            raise ValueError(
                'is missing; intake = "kafka" needs [http.kafka] with bootstrap_servers and topic'
            )
        if info.data["intake"] == "store" and kafka is not None:
            raise ValueError('is of no use with intake = "store"; intake = "kafka" would use it')
        return kafka

    @field_validator("cors_origins")
    @classmethod
    def _origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            if origin == "*":
                continue
            web_address(origin)
            parts = urlsplit(origin)
            if parts.path or parts.query or parts.fragment:
                raise ValueError(
                    f'must hold origins such as "https://learn.example.com" or "*"; {origin!r} has '
                    "more than scheme, host and port"
                )
        return origins


class HttpSourceSettings(Section):
    """[[sources.http]]: a sender of xAPI statements."""

    #: labels metrics and the books
    name: SourceName
    #: what the sender shows; several while a secret is being changed
    credentials: Annotated[tuple[CredentialSettings, ...], AfterValidator(require_some)]
    #: it may send query parameters that xAPI does not know, PUT a new profile unconditionally, and
    #: send statements with faults beside the point, which are left out
    lenient: bool = False
    #: of a request's body; none = http.max_body_bytes, which is the most in any case
    max_body_bytes: int | None = Field(default=None, ge=1_024)
    #: what it says of an activity is what GET /xapi/activities answers to everybody
    defines_activities: bool = True


def _url(host: str, port: int) -> str:
    host = _EVERYWHERE.get(host, host)
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
