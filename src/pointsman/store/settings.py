"""Settings [store]: which store keeps what was accepted, and for how long."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from pydantic import Field, ValidationInfo, field_validator

from pointsman.setting_types import OptionalSecret, SecretFile, Section, folder_of
from pointsman.store.database_hosts import each_host

_SQLITE = "sqlite:///"
#: a folder, SQLite's own addresses, and options of an address: a file of that name would be made
_NO_FILE = re.compile(r"^:memory:$|^file:|[?#]|/$")
_POSTGRES = ("postgresql://", "postgres://")
#: values of target_session_attrs that lead to a server which takes writes
_WRITES = {"any", "primary", "read-write"}


class StoreSettings(Section):
    """[store]: where everything that was accepted is kept.

    A SQLite file for one daemon, or a PostgreSQL database for any number of replicas.
    """

    #: sqlite:///FILE for one daemon, or postgresql://USER@HOST/DATABASE for any number of replicas
    url: str = "sqlite:///pointsman.db"
    #: of the PostgreSQL user
    password_file: SecretFile = None
    #: the PostgreSQL user's password
    password: OptionalSecret = None
    #: that one replica opens to PostgreSQL at most
    connections: int = Field(default=8, ge=2, le=200)
    #: that a commit is delayed at most while more statements arrive that can share it; 0 = not
    commit_delay_ms: float = Field(default=20, ge=0, le=1_000)
    #: statements are forgotten after that; 0 = never
    retention_days: float = Field(default=365, ge=0, le=36_500)
    #: what `pointsman explain` tells of moves, deliveries and readings is forgotten after that
    history_days: float = Field(default=90, gt=0, le=36_500)
    #: rows of it kept for a learner: of moves, of what moved nothing, and of deliveries, each
    history_rows: int = Field(default=200, ge=1, le=100_000)
    #: what operators did (`pointsman activity`) is forgotten after that; 0 = never
    activity_days: float = Field(default=730, ge=0, le=36_500)

    @field_validator("url")
    @classmethod
    def _known(cls, url: str, info: ValidationInfo) -> str:
        if url.startswith(_POSTGRES):
            return _postgres(url)
        path = url.removeprefix(_SQLITE)
        if path == url or not path or _NO_FILE.search(path):
            raise ValueError(
                "must be sqlite:///FILE (beside the configuration file), sqlite:////FOLDER/FILE "
                "or postgresql://USER@HOST/DATABASE"
            )
        return _SQLITE + str((folder_of(info) / path).resolve())

    @property
    def is_shared(self) -> bool:
        """Whether replicas share it."""
        return self.url.startswith(_POSTGRES)

    @property
    def path(self) -> Path:
        """The SQLite file, absolute when the settings were loaded from a file."""
        return Path(self.url.removeprefix(_SQLITE))


def _postgres(url: str) -> str:
    """One or several hosts, without a password: addresses end up in logs."""
    try:
        hosts = [urlsplit(address) for address in each_host(url)]
        are_whole = all(
            host.hostname and host.username and host.path.strip("/") and host.port != 0
            for host in hosts
        )
    except ValueError:
        raise ValueError("is no address") from None
    query = dict(parse_qsl(hosts[0].query))
    if hosts[0].password is not None or any(name.endswith("password") for name in query):
        raise ValueError("must not carry a password; give store.password_file or store.password")
    if not are_whole:
        raise ValueError(
            "must be postgresql://USER@HOST/DATABASE, with :PORT where it is not 5432; several "
            "hosts are separated by commas"
        )
    if query.get("target_session_attrs", "any") not in _WRITES:
        raise ValueError("must lead to a server that takes writes: target_session_attrs=read-write")
    return url
