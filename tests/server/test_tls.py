"""The LAN's own certificates: made once, renewed when needed, believed by OpenSSL, worth nothing outside the LAN."""

from __future__ import annotations

import socket
import ssl
import stat
import threading
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from server import tls

HERE = (IPv4Address("127.0.0.1"), IPv4Address("192.168.3.7"))


def serve_once(paths: tls.Paths) -> tuple[int, threading.Thread]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(paths.certificate, paths.key)
    listener = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        with listener, listener.accept()[0] as plain:
            try:
                with context.wrap_socket(plain, server_side=True) as secure:
                    secure.sendall(b"hello")
            except OSError:  # who does not believe us goes away
                return

    thread = threading.Thread(target=answer)
    thread.start()
    return listener.getsockname()[1], thread


def visit(paths: tls.Paths, name: str) -> bytes:
    port, thread = serve_once(paths)
    context = ssl.create_default_context(cafile=str(paths.authority))
    try:
        with (
            socket.create_connection(("127.0.0.1", port)) as plain,
            context.wrap_socket(plain, server_hostname=name) as secure,
        ):
            return secure.recv(5)
    finally:
        thread.join(5)


@pytest.mark.parametrize("name", ["127.0.0.1", "192.168.3.7", "localhost", "server1", "server1.local"])
def test_whoever_trusts_the_authority_believes_the_site(tmp_path: Path, name: str) -> None:
    assert visit(tls.ensure(tmp_path, HERE, "server1"), name) == b"hello"


def test_the_authority_cannot_speak_for_anybody_else(tmp_path: Path) -> None:
    """Even with its key: name constraints."""
    tls.ensure(tmp_path, HERE, "server1")
    (tmp_path / "site.crt").unlink()
    forged = tls.ensure(tmp_path, HERE, "bank.example.com")
    with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree"):
        visit(forged, "bank.example.com")


def test_a_second_start_changes_nothing(tmp_path: Path) -> None:
    paths = tls.ensure(tmp_path, HERE, "server1")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert tls.ensure(tmp_path, HERE[:1], "server1") == paths
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("why", ["moved", "old"])
def test_the_sites_certificate_is_renewed_under_the_same_authority(tmp_path: Path, why: str) -> None:
    paths = tls.ensure(tmp_path, HERE, "server1")
    authority, site = paths.authority.read_bytes(), paths.certificate.read_bytes()
    if why == "moved":
        tls.ensure(tmp_path, (*HERE, IPv4Address("10.1.2.3")), "server1")
    else:
        tls.ensure(tmp_path, HERE, "server1", datetime.now(UTC) + timedelta(days=380))
    assert paths.authority.read_bytes() == authority, "what screens trust stays"
    assert paths.certificate.read_bytes() != site


def test_keys_are_the_owners(tmp_path: Path) -> None:
    tls.ensure(tmp_path, HERE, "server1")
    for key in ("authority.key", "site.key"):
        assert stat.S_IMODE((tmp_path / key).stat().st_mode) == 0o600


def test_the_fingerprint_is_what_browsers_show(tmp_path: Path) -> None:
    shown = tls.fingerprint(tls.ensure(tmp_path, HERE, "server1").authority)
    assert len(shown.split(":")) == 32 and shown == shown.upper()
