"""A PostgreSQL server for the tests and the soak: whatever this machine can run."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from demo.apache_kafka import Unavailable
from demo.children import Child
from demo.processes import PATIENCE, NotUp, free_port, wait_until_up

#: address of a server that runs already, as a user who may create databases
ENV = "POINTSMAN_TEST_POSTGRES"
#: whom a server that may not be root's runs as, where we are root
_USER = "postgres"


@dataclass(frozen=True, slots=True)
class Database:
    """A server that accepts connections at `dsn`. `kind` tells a person what it is."""

    dsn: str
    kind: str


@contextlib.contextmanager
def start_database(*, fsync: bool = True) -> Iterator[Database]:
    """The first server that starts; ended with the block. Raises `RuntimeError` without any.

    Without `fsync` a server of our own is faster: what it commits survives the end of its
    processes, not of the machine.
    """
    tried: list[str] = []
    with contextlib.ExitStack() as stack:
        for start in (_environment, _docker, _programs):
            try:
                database = stack.enter_context(start(fsync=fsync))
            except Unavailable as reason:
                tried.append(f"{start.__name__.strip('_')}: {reason}")
            else:
                break
        else:
            raise RuntimeError("no PostgreSQL could be started. Tried:\n  " + "\n  ".join(tried))
        yield database


@contextlib.contextmanager
def _environment(*, fsync: bool) -> Iterator[Database]:  # noqa: ARG001 - it is as it is
    if not (dsn := os.environ.get(ENV)):
        raise Unavailable(f"{ENV} is not set")
    yield Database(dsn, f"from {ENV}")


@contextlib.contextmanager
def _docker(*, fsync: bool) -> Iterator[Database]:
    if (docker := shutil.which("docker")) is None:
        raise Unavailable("there is no docker")
    try:
        subprocess.run([docker, "info"], check=True, capture_output=True, timeout=10)
        from testcontainers.postgres import PostgresContainer  # noqa: PLC0415 - slow, and optional

        container = PostgresContainer("postgres:16", driver=None)
        container = container.with_command(f"postgres -c fsync={'on' if fsync else 'off'}")
        container.start()
    except Exception as error:
        raise Unavailable(f"{type(error).__name__}: {error}") from error
    try:
        yield Database(container.get_connection_url(), f"{container.image} in Docker")
    finally:
        container.stop()


@contextlib.contextmanager
def _programs(*, fsync: bool) -> Iterator[Database]:
    with own_server(fsync=fsync) as server:
        yield Database(server.dsn, server.kind)


class Server:
    """PostgreSQL's own programs on a cluster in `folder`; it can be ended and started again.

    With `primary` the cluster is a copy of that server's, and follows it as a standby.
    """

    def __init__(self, folder: Path, *, fsync: bool = True, primary: Server | None = None) -> None:
        self._postgres = _program("postgres")
        self._as_user = not_root(folder)
        self.data = folder / "data"
        self._options = ["-h", "127.0.0.1", "-k", "", "-c", f"fsync={'on' if fsync else 'off'}"]
        self._port = free_port()
        self._process: Child | None = None
        if primary is None:
            self._run("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8")
        else:
            self._run("pg_basebackup", "-R", "-c", "fast", "-d", primary.dsn)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._port}"

    @property
    def dsn(self) -> str:
        return f"postgresql://postgres@{self.host}/postgres"

    @property
    def kind(self) -> str:
        asked = [self._postgres, "--version"]
        version = subprocess.run(asked, check=True, capture_output=True, text=True).stdout
        return f"PostgreSQL {version.split()[2]}"

    def promote(self) -> None:
        """A standby becomes a primary; returns when it takes writes."""
        self._run("pg_ctl", "promote", "-w")

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [*self._as_user, _program(program), "-D", str(self.data), *arguments],
            check=False,
            capture_output=True,
            text=True,
            cwd=self.data.parent,
        )
        if done.returncode:
            raise Unavailable(f"{program} failed: {done.stderr[-2000:]}")

    def start(self) -> None:
        """Returns when it accepts connections."""
        command = [*self._as_user, self._postgres, "-D", str(self.data), "-p", str(self._port)]
        with self.data.parent.joinpath("log").open("ab") as log:
            self._process = Child(
                [*command, *self._options],
                output=log,
                ends_at=signal.SIGINT,
                cwd=self.data,
            )
        try:
            wait_until_up(self._process, self._accepts_connections)
        except NotUp as reason:
            raise Unavailable(f"{self._postgres} {reason}") from None

    def _accepts_connections(self) -> bool:
        asked = [_program("pg_isready"), "-h", "127.0.0.1", "-p", str(self._port)]
        return not subprocess.run(asked, check=False, capture_output=True).returncode

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT disconnects all clients, SIGQUIT is as sudden as a crash."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(PATIENCE)
            self._process = None


@contextlib.contextmanager
def own_server(*, fsync: bool = True) -> Iterator[Server]:
    """A server that runs, with a new cluster in a folder that goes away."""
    with tempfile.TemporaryDirectory(prefix="pointsman-postgres-") as folder:
        server = Server(Path(folder), fsync=fsync)
        try:
            server.start()
            yield server
        finally:
            server.stop()


def _program(name: str) -> str:
    """Debian keeps them out of the way of others."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for folder in ("", *map(str, folders)):
        if path := shutil.which(name, path=folder or None):
            return path
    raise Unavailable(f"there is no {name}")


def not_root(folder: Path) -> list[str]:
    """PostgreSQL does not run as root; what a command begins with instead."""
    if os.geteuid() != 0:
        return []
    setpriv = shutil.which("setpriv")
    try:
        shutil.chown(folder, _USER, _USER)
    except LookupError as error:
        raise Unavailable(f"we are root, and there is no user {_USER}") from error
    if setpriv is None:
        raise Unavailable("we are root, and there is no setpriv")
    return [setpriv, f"--reuid={_USER}", f"--regid={_USER}", "--init-groups"]
