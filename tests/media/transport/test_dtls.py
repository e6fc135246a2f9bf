from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from OpenSSL import SSL

from media.parameters import Fingerprint
from media.transport.certificate import Certificate
from media.transport.dtls import DtlsServer, DtlsState
from tests.support.media_hall import DtlsClient

OURS = Certificate.generate()


def shake(client: DtlsClient, server: DtlsServer, lose: int = -1) -> None:
    """Until nobody says anything; the server's datagram number ``lose`` gets lost."""
    outgoing, count = client.step(), 0
    while outgoing:
        replies = []
        for datagram in outgoing:
            for reply in server.receive(datagram):
                if count != lose:
                    replies.append(reply)
                count += 1
        outgoing = client.step(*replies) if replies else []


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (b"SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_128_GCM", b"SRTP_AEAD_AES_128_GCM"),  # our order counts
        (b"SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_256_GCM", b"SRTP_AEAD_AES_256_GCM"),
        (b"SRTP_AES128_CM_SHA1_80", b"SRTP_AES128_CM_SHA1_80"),
    ],
)
def test_both_sides_get_the_same_keys(offered: bytes, chosen: bytes) -> None:
    client = DtlsClient(offered)
    server = DtlsServer(OURS, client.fingerprints)
    shake(client, server)
    assert server.state is DtlsState.CONNECTED
    assert server.keys is not None and client.keys is not None
    assert server.keys.profile.name == chosen
    assert server.keys == client.keys.mirrored()


def test_another_certificate_than_promised_is_an_impostor() -> None:
    client = DtlsClient()
    server = DtlsServer(OURS, (Fingerprint("sha-256", ":".join(["00"] * 32)),))
    shake(client, server)
    assert server.state is DtlsState.IMPOSTOR
    assert server.keys is None


def test_no_common_profile_is_no_connection() -> None:
    client = DtlsClient(b"SRTP_AES128_CM_SHA1_32")
    server = DtlsServer(OURS, client.fingerprints)
    with pytest.raises(KeyError):
        shake(client, server)
    assert server.state is DtlsState.FAILED
    assert server.keys is None


def test_close_notify_is_noticed_long_after_the_handshake() -> None:
    client = DtlsClient()
    server = DtlsServer(OURS, client.fingerprints)
    shake(client, server)
    server.receive(b"\x15\xfe\xfd" + bytes(8) + b"\x00\x02\x01\x00")  # a forged one, in the clear
    assert server.state is DtlsState.CONNECTED
    for datagram in client.close():
        server.receive(datagram)
    assert server.state is DtlsState.CLOSED


def test_our_close_notify_is_understood() -> None:
    client = DtlsClient()
    server = DtlsServer(OURS, client.fingerprints)
    shake(client, server)
    client.step(*server.close())
    assert client.closed
    assert server.close() == []


def test_a_lost_flight_is_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenSSL's timer reads real time: the test asks it, and only then waits."""
    import time

    client = DtlsClient()
    server = DtlsServer(OURS, client.fingerprints)
    shake(client, server, lose=0)
    assert server.tick() == [] or server.state is DtlsState.HANDSHAKE
    flights: list[bytes] = []
    while not flights:
        time.sleep(0.05)
        flights = server.tick()
    outgoing = client.step(*flights)
    while outgoing:
        outgoing = client.step(*[r for d in outgoing for r in server.receive(d)])
    assert server.state is DtlsState.CONNECTED


@given(st.lists(st.binary(max_size=200), max_size=5))
def test_noise_never_raises_and_never_connects(noise: list[bytes]) -> None:
    server = DtlsServer(OURS, ())
    for data in noise:
        server.receive(data)
        server.receive(b"\x16\xfe\xfd" + data)
    assert server.keys is None


def test_noise_between_does_not_hinder() -> None:
    client = DtlsClient()
    server = DtlsServer(OURS, client.fingerprints)
    server.receive(b"\x16\xfe\xfd" + bytes(30))
    server.receive(b"\x20" * 40)
    shake(client, server)
    assert server.state is DtlsState.CONNECTED
    server.receive(b"\x17\xfe\xfd" + bytes(40))
    assert server.state is DtlsState.CONNECTED


def test_the_connection_is_gone_once_keys_are_there() -> None:
    client = DtlsClient()
    server = DtlsServer(OURS, client.fingerprints)
    assert not server.waiting, "nothing is made before a ClientHello comes"
    shake(client, server)
    assert not server.waiting
    assert not any(isinstance(getattr(server, name), SSL.Connection) for name in DtlsServer.__slots__)
    assert server.tick() == []


def test_a_client_that_lost_the_last_flight_gets_it_again() -> None:
    """RFC 6347 section 4.2.4: by then OpenSSL's connection has gone."""
    client = DtlsClient()
    server = DtlsServer(OURS, client.fingerprints)
    flights: list[list[bytes]] = [client.step()]
    while server.state is not DtlsState.CONNECTED:
        replies = [r for d in flights[-1] for r in server.receive(d)]
        if server.state is not DtlsState.CONNECTED:
            flights.append(client.step(*replies))
    assert client.keys is None, "the last flight was lost"
    again = [r for d in flights[-1] for r in server.receive(d)]
    assert again
    client.step(*again)
    assert client.keys is not None and server.keys == client.keys.mirrored()


def test_the_last_flight_is_not_for_ever() -> None:
    client = DtlsClient()
    server = DtlsServer(OURS, client.fingerprints)
    shake(client, server)
    sent = [server.receive(b"\x16\xfe\xfd" + bytes(30)) for _ in range(100)]
    assert 0 < len([s for s in sent if s]) < 20, "no mirror for somebody who forges the peer's address"


@pytest.mark.parametrize("cipher", [b"ECDHE-ECDSA-CHACHA20-POLY1305", b"ECDHE-ECDSA-AES128-SHA"])
def test_other_suites_connect_and_leave_without_a_word(cipher: bytes) -> None:
    client = DtlsClient(ciphers=cipher)
    server = DtlsServer(OURS, client.fingerprints)
    shake(client, server)
    assert server.keys is not None and client.keys is not None
    for datagram in client.close():
        server.receive(datagram)
    assert server.state is DtlsState.CONNECTED, "silence will tell"
    assert server.close() == []
