"""DTLS server of one peer over memory BIOs (RFC 5764): datagrams in, datagrams and SRTP keys out.

The only file outside ``net/`` that knows a clock: OpenSSL keeps the retransmission timer itself and reads real time.
The connection object is kept after the handshake (its buffers are released): only it can answer a lost last flight and
tell a genuine close_notify from a forged one.
"""

from __future__ import annotations

from enum import Enum

from OpenSSL import SSL

from media.parameters import Fingerprint
from media.transport.certificate import Certificate, matches
from media.transport.srtp import PROFILES, SrtpKeys

_EXPORTER = b"EXTRACTOR-dtls_srtp"  # RFC 5764 section 4.2
_MTU = 1200  # handshake datagrams must pass every tunnel, like browsers' media packets


class DtlsState(Enum):
    HANDSHAKE = "handshake"
    CONNECTED = "connected"
    CLOSED = "closed"
    FAILED = "dtls"
    IMPOSTOR = "fingerprint"


class DtlsServer:
    """Feed ``receive``; look at ``state`` and, once connected, at ``keys``."""

    __slots__ = ("_promised", "_ssl", "keys", "state")

    def __init__(self, certificate: Certificate, promised: tuple[Fingerprint, ...]) -> None:
        self._ssl = SSL.Connection(certificate.context)
        self._ssl.set_accept_state()
        self._ssl.set_ciphertext_mtu(_MTU)
        self._promised = promised
        self.state = DtlsState.HANDSHAKE
        self.keys: SrtpKeys | None = None

    def receive(self, datagram: bytes) -> list[bytes]:
        """Takes one datagram, returns those to send."""
        if self.state not in (DtlsState.HANDSHAKE, DtlsState.CONNECTED):
            return []
        try:
            self._ssl.bio_write(datagram)
            if self.state is DtlsState.HANDSHAKE:
                self._handshake()
            else:
                self._drain()
        except SSL.Error:
            if self.state is DtlsState.HANDSHAKE:
                self.state = DtlsState.FAILED
        return self._outgoing()

    def _handshake(self) -> None:
        try:
            self._ssl.do_handshake()
        except SSL.WantReadError:
            return
        certificate = self._ssl.get_peer_certificate(as_cryptography=True)
        if certificate is None or not matches(certificate, self._promised):
            self.state = DtlsState.IMPOSTOR
            return
        profile = PROFILES.get(self._ssl.get_selected_srtp_profile())
        if profile is None:
            self.state = DtlsState.FAILED
            return
        material = self._ssl.export_keying_material(_EXPORTER, 2 * (profile.key_length + profile.salt_length))
        self.keys = SrtpKeys.from_exporter(profile, material)
        self.state = DtlsState.CONNECTED

    def _drain(self) -> None:
        """Reads what is not ours (data channels) away until OpenSSL wants more; close_notify ends it."""
        try:
            while True:
                self._ssl.recv(2048)
        except SSL.WantReadError:
            return
        except SSL.ZeroReturnError:
            self.state = DtlsState.CLOSED

    def tick(self) -> list[bytes]:
        """Retransmits a flight whose timer ran out (RFC 6347 section 4.2.4)."""
        if self.state is not DtlsState.HANDSHAKE:
            return []
        timeout = self._ssl.DTLSv1_get_timeout()
        if timeout is None or timeout > 0:
            return []
        try:
            self._ssl.DTLSv1_handle_timeout()
        except SSL.Error:
            self.state = DtlsState.FAILED
        return self._outgoing()

    def close(self) -> list[bytes]:
        """Our close_notify; the peer then knows at once that it is alone."""
        if self.state is not DtlsState.CONNECTED:
            return []
        self.state = DtlsState.CLOSED
        try:
            self._ssl.shutdown()
        except SSL.Error:
            return []
        return self._outgoing()

    def _outgoing(self) -> list[bytes]:
        try:
            data = self._ssl.bio_read(65536)
        except SSL.WantReadError:
            return []
        return datagrams(data)


def datagrams(data: bytes, limit: int = _MTU) -> list[bytes]:
    """A memory BIO forgets datagram borders: whole records (RFC 6347 section 4.1) packed up to ``limit`` bytes."""
    packed: list[bytes] = []
    start = at = 0
    while at + 13 <= len(data):
        end = at + 13 + int.from_bytes(data[at + 11 : at + 13], "big")
        if end - start > limit and at > start:
            packed.append(data[start:at])
            start = at
        at = end
    if start < len(data):
        packed.append(data[start:])
    return packed
