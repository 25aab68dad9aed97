"""Which proxy a request goes through: that of the settings, or of the environment. Pure.

HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY are read as curl reads them, in either case, lower
case first. NO_PROXY holds hosts (their subdomains too), addresses and networks, with or without a
port, or "*".
"""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from pointsman.domain.errors import ConfigError
from pointsman.outgoing.settings import DIRECT, OutgoingSettings

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Proxy:
    """`setting` says where its address comes from."""

    url: str
    setting: str
    #: the header Proxy-Authorization
    authorization: str | None = field(default=None, repr=False)


def proxy_for(
    url: str, settings: OutgoingSettings, setting: str, environment: Mapping[str, str]
) -> Proxy | None:
    """The proxy for this URL; `setting` is the name of `settings.proxy`. Raises `ConfigError`."""
    if settings.proxy == DIRECT:
        return None
    if settings.proxy is None:
        return environment_proxy(url, environment)
    if settings.proxy_user is None:
        return Proxy(settings.proxy, setting)
    secret = settings.proxy_password
    password = "" if secret is None else secret.get_secret_value()
    return Proxy(settings.proxy, setting, _basic(settings.proxy_user, password))


def environment_proxy(url: str, environment: Mapping[str, str]) -> Proxy | None:
    """What the environment says. Raises `ConfigError` for a proxy that can't be used."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 0)
    for name in (f"{parts.scheme}_proxy", "all_proxy"):
        for variable in (name, name.upper()):
            text = environment.get(variable, "").strip()
            if text:
                excepted = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
                return None if _is_excepted(host, port, excepted) else _parse(text, variable)
    return None


def _parse(text: str, variable: str) -> Proxy:
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        host, port = parts.hostname, parts.port
    except ValueError:
        parts, host, port = urlsplit(""), None, None
    if parts.scheme not in _PORTS or not host:
        raise ConfigError(
            f"{variable}: must be http://HOST:PORT; proxies of other kinds (socks) are not spoken"
        )
    at = f"[{host}]" if ":" in host else host
    address = f"{parts.scheme}://{at}" + (f":{port}" if port else "")
    authorization = None
    if parts.username is not None:
        authorization = _basic(unquote(parts.username), unquote(parts.password or ""))
    return Proxy(address, variable, authorization)


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def _is_excepted(host: str, port: int, excepted: str) -> bool:
    host = host.rstrip(".").lower()
    address = _address(host)
    for entry in excepted.replace(",", " ").lower().split():
        if entry == "*":
            return True
        name = entry
        if entry.count(":") == 1 or "]:" in entry:
            name, _, number = entry.rpartition(":")
            if number != str(port):
                continue
        name = name.strip("[]").removeprefix("*").strip(".")
        if address is not None:
            network = _network(name)
            if network is not None and address in network:
                return True
        elif name and (host == name or host.endswith(f".{name}")):
            return True
    return False


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
