"""`python -m tests.support.servers COMMAND...`: one broker and one database for all its processes.

The workers of one run, and runs beside each other, then share them: a broker takes four seconds
and 300 MB to start.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress

from demo import broker, database
from demo.children import ended_by_signals


def main() -> int:
    env = dict(os.environ)
    with ended_by_signals(), ExitStack() as stack:
        with suppress(RuntimeError):  # none to be had: the tests say what they need
            kafka = stack.enter_context(broker.start_broker())
            env[broker.ENV] = kafka.bootstrap
            print(f"Kafka broker: {kafka.kind}", flush=True)  # noqa: T201
        with suppress(RuntimeError):
            postgres = stack.enter_context(database.start_database(fsync=False))
            env[database.ENV] = postgres.dsn
            print(f"PostgreSQL server: {postgres.kind}", flush=True)  # noqa: T201
        return _run(sys.argv[1:], env)


def _run(command: Sequence[str], env: Mapping[str, str]) -> int:
    """Its exit code. A signal that ends us ends all of the command's processes."""
    process = subprocess.Popen(command, env=env, process_group=0)
    try:
        return process.wait()
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait()


if __name__ == "__main__":
    raise SystemExit(main())
