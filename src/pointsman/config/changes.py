"""Compares two configurations: what changes while the daemon runs, and what needs a restart. Pure.

No value is in what is returned: it may be a secret.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, SecretStr

from pointsman.config.settings import Settings
from pointsman.secret_values import FileSecret

#: settings that a running daemon takes on; of a table, all that is in it
LIVE = frozenset(
    {
        "allow_weak_secrets",
        "rules",
        "http.public_url",
        "http.cors_origins",
        "http.operator.hosts",
        "http.operator.keys",
        "platform.api_key",
        "platform.api_key_file",
        "platform.limits",
        "delivery.progress_interval_seconds",
        "delivery.economy",
        "delivery.fresh_within_seconds",
        "delivery.source_weights",
        "delivery.rule_weights",
        "delivery.lease_seconds",
        "delivery.retry_base_seconds",
        "delivery.retry_max_seconds",
        "delivery.max_failures",
        "learners.accounts",
        "learners.tokens.inline",
        "launches.public_url",
        "launches.operators",
        "launches.signing_key",
        "launches.signing_key_file",
        "launches.old_signing_key_files",
        "launches.lifetime_hours",
        "launches.any_actor",
        "launches.limits",
        "sources.http",
        "sources.scorm_cloud",
        "sources.webhooks",
        "logging.level",
    }
)
#: tables that are named whole: their keys are a person's own words, and may name learners
_WHOLE = frozenset({"learners.tokens.inline", "delivery.source_weights", "delivery.rule_weights"})
#: lists whose first entry begins something that only a start begins, and whose last one ends it
_BEGINNING = frozenset({"http.operator.keys"})
#: hexadecimal digits of a hash; enough to tell configurations of one installation apart
_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Changes:
    """Paths of the settings that differ, as in `platform.limits.share`, in order."""

    live: tuple[str, ...]
    restart: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.live or self.restart)


def changes(old: Settings, new: Settings) -> Changes:
    """What differs. A secret in a file is its file: what is in it is read again by itself."""
    before, after = _plain(old), _plain(new)
    paths = sorted(_differing(before, after))
    live = [
        path
        for path in paths
        if _is_live(path)
        and (path not in _BEGINNING or (_value(before, path) and _value(after, path)))
    ]
    return Changes(tuple(live), tuple(path for path in paths if path not in live))


def config_hash(settings: Settings, secret: bytes) -> str:
    """The same for the same configuration, on all replicas of an installation.

    `secret` is the installation's, so that the hash says nothing of the secrets in it. Operators'
    port is not in it: processes that share http.port each have another one.
    """
    plain = _plain(settings)
    if operator := plain["http"]["operator"]:
        del operator["port"]
    text = json.dumps(plain, sort_keys=True, default=str)
    return hmac.new(secret, b"configuration\0" + text.encode(), hashlib.sha256).hexdigest()[
        :_DIGITS
    ]


def _is_live(path: str) -> bool:
    parts = path.split(".")
    return any(".".join(parts[:length]) in LIVE for length in range(1, len(parts) + 1))


def _value(tree: Any, path: str) -> Any:
    for key in path.split("."):
        tree = tree[key]
    return tree


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return {name: _plain(getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, FileSecret):
        return "in its file"
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return value


def _differing(old: Any, new: Any, path: str = "") -> Iterator[str]:
    if old == new:
        return
    if path in _WHOLE or not (isinstance(old, dict) and isinstance(new, dict)):
        yield path
        return
    for key in old.keys() | new.keys():
        yield from _differing(old.get(key), new.get(key), f"{path}.{key}" if path else key)
