"""Certificates of Kafka's clients that are replaced while the daemon runs."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from pointsman.sources.kafka.settings import KafkaSecurity
from pointsman.sources.kafka.watched_tls import watched_tls_context
from tests.support.own_authority import Authority

HOST = "127.0.0.1"


def watched(by: Authority, folder: Path) -> ssl.SSLContext:
    """What a client connects with, whose files are in `folder`."""
    return watched_tls_context(
        KafkaSecurity(
            protocol="SSL",
            ca_file=by.file,
            cert_file=folder / "client.pem",
            key_file=folder / "client.key",
        )
    )


def shown(client: ssl.SSLContext, broker: ssl.SSLContext) -> bytes | None:
    """The client's certificate, as the broker sees it."""
    to_client, to_broker = ssl.MemoryBIO(), ssl.MemoryBIO()
    near = client.wrap_bio(to_client, to_broker, server_hostname=HOST)
    far = broker.wrap_bio(to_broker, to_client, server_side=True)
    waiting = [near, far]
    for _ in range(10):
        for end in tuple(waiting):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
            waiting.remove(end)
    assert not waiting
    return far.getpeercert(binary_form=True)


def issued(by: Authority, name: str) -> bytes:
    """Another certificate in the client's files."""
    cert, _ = by.client(name)
    return ssl.PEM_cert_to_DER_cert(cert.read_text())


def test_new_connections_show_the_certificate_of_now(tmp_path: Path) -> None:
    by = Authority(tmp_path)
    first = issued(by, "first")
    client, broker = watched(by, tmp_path), by.server(HOST)
    assert shown(client, broker) == first
    second = issued(by, "second")
    assert shown(client, broker) == second != first


def test_files_that_are_replaced_in_part_leave_those_of_before_in_force(tmp_path: Path) -> None:
    by = Authority(tmp_path)
    first = issued(by, "first")
    client, broker = watched(by, tmp_path), by.server(HOST)
    former_key = (tmp_path / "client.key").read_text()
    issued(by, "second")
    key = (tmp_path / "client.key").read_text()
    (tmp_path / "client.key").write_text(former_key)
    with capture_logs() as logs:
        assert [shown(client, broker) for _ in range(2)] == [first, first]
    assert [line["log_level"] for line in logs] == ["warning"]
    (tmp_path / "client.key").write_text(key)
    second = ssl.PEM_cert_to_DER_cert((tmp_path / "client.pem").read_text())
    assert shown(client, broker) == second != first


def test_an_authority_that_is_added_is_trusted(tmp_path: Path) -> None:
    by, another = Authority(tmp_path), Authority(tmp_path, "another")
    cert = issued(by, "client")
    broker = another.server(HOST)
    broker.load_verify_locations(by.file)
    client = watched(by, tmp_path)
    with pytest.raises(ssl.SSLCertVerificationError):
        shown(client, broker)
    by.file.write_text(by.file.read_text() + another.file.read_text())
    assert shown(client, broker) == cert


def test_a_file_that_is_no_certificate_is_refused_at_the_start(tmp_path: Path) -> None:
    by = Authority(tmp_path)
    issued(by, "client")
    (tmp_path / "client.pem").write_text("nothing")
    with pytest.raises(ssl.SSLError):
        watched(by, tmp_path)
