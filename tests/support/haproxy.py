"""A load balancer that learns of an endpoint's end late, as a Service of Kubernetes does."""

from __future__ import annotations

import contextlib
import csv
import io
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from demo.children import Child
from demo.processes import free_port, stop, wait_until_up
from tests.support.tools import need

#: nothing is tried again: what a server does to a request, the sender sees
_CONFIG = """
global
    maxconn 1000
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    timeout check 10s
    retries 0
    option http-keep-alive
frontend all
    bind 127.0.0.1:{port}
    default_backend replicas
frontend statistics
    bind 127.0.0.1:{statistics}
    stats enable
    stats uri /stats
backend replicas
    balance roundrobin
    option httpchk GET /readyz
    http-check expect status 200
    default-server check inter {every}ms fall {falls} rise 1
{servers}
"""


@dataclass(frozen=True, slots=True)
class LoadBalancer:
    """`url` leads to a replica that it believes to be ready."""

    url: str
    statistics: str

    def up(self) -> set[str]:
        """Names of the servers that it sends to."""
        with urllib.request.urlopen(f"{self.statistics}/stats;csv", timeout=10) as answer:  # noqa: S310 - our own loopback
            rows = csv.DictReader(io.StringIO(answer.read().decode()))
        return {
            row["svname"]
            for row in rows
            if row["# pxname"] == "replicas" and row["status"].startswith("UP")
        } - {"BACKEND"}


@contextlib.contextmanager
def load_balancer(
    folder: Path, ports: Sequence[int], *, every: int = 300, falls: int = 2
) -> Iterator[LoadBalancer]:
    """In front of these ports, server `s0` and so on; looks at each in `every` milliseconds."""
    (program,) = need("haproxy")
    port, statistics = free_port(), free_port()
    servers = "\n".join(f"    server s{n} 127.0.0.1:{one}" for n, one in enumerate(ports))
    config = folder / "haproxy.cfg"
    config.write_text(
        _CONFIG.format(port=port, statistics=statistics, every=every, falls=falls, servers=servers)
    )
    balancer = LoadBalancer(f"http://127.0.0.1:{port}", f"http://127.0.0.1:{statistics}")

    def answers() -> bool:
        with contextlib.suppress(OSError):
            balancer.up()
            return True
        return False

    with (folder / "haproxy.log").open("ab") as output:
        process = Child([program, "-f", str(config)], output=output)
    try:
        wait_until_up(process, answers)
        yield balancer
    finally:
        stop(process)
