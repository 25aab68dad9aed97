"""Warnings about secrets that others could guess or read, for `pointsman doctor`."""

from __future__ import annotations

import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr

from pointsman.config import Settings
from pointsman.secret_strength import must_be_strong
from pointsman.secret_values import FileSecret

_LOCAL = {"localhost", "127.0.0.1", "::1"}
#: secrets that strangers may try: they open something here
_TRIED = ("sources.", "launches.", "http.operator.")


def secret_warnings(settings: Settings) -> Iterator[tuple[str, str]]:
    """What is wrong, its setting in front, and the cure. No secret is in them."""
    is_reached = reached_by_others(settings)
    for path, secret in _secrets(settings):
        if is_reached and settings.allow_weak_secrets and path.startswith(_TRIED):
            text = secret.get_secret_value()
            try:
                must_be_strong(text)
            except ValueError:
                yield (
                    f"{path}: is a placeholder or easy to guess, and others reach this daemon",
                    "let `pointsman launches new-key` make one, and leave allow_weak_secrets out",
                )
        if isinstance(secret, FileSecret):
            yield from _mode(path, secret.path)
    tokens = settings.learners.tokens
    if tokens.file is not None:
        yield from _mode("learners.tokens.file", tokens.file)


def reached_by_others(settings: Settings) -> bool:
    """Whether more than this machine reaches a port of ours, as far as the settings tell."""
    hosts = {settings.http.host}
    if settings.http.operator is not None:
        hosts.add(settings.http.operator.host)
    urls = [settings.http.public_url, settings.launches and settings.launches.public_url]
    public = [url for url in urls if url and not any(f"//{host}" in url for host in _LOCAL)]
    return bool(hosts - _LOCAL or public or settings.http.trusted_proxies)


def _mode(setting: str, path: Path) -> Iterator[tuple[str, str]]:
    try:
        mode = path.stat().st_mode
    except OSError:
        return
    # a volume of Kubernetes is its container's alone, and is replaced as a whole
    is_mounted = (path.parent / "..data").exists()
    if mode & stat.S_IROTH and not is_mounted:
        yield f"{setting}: everybody on this machine can read {path}", f"chmod o-rwx {path}"


def _secrets(value: Any, path: str = "") -> Iterator[tuple[str, SecretStr]]:
    """Every secret of the settings, with its place, as in `launches.operators[0].secret`."""
    if isinstance(value, SecretStr):
        yield path, value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _secrets(getattr(value, name), f"{path}.{name}" if path else name)
    elif isinstance(value, Mapping):
        return  # tokens of learners: their keys are a person's name
    elif isinstance(value, list | tuple):
        for number, entry in enumerate(value):
            yield from _secrets(entry, f"{path}[{number}]")
