"""DTLS server of one peer over memory BIOs (RFC 5764): datagrams in, datagrams and SRTP keys out.

OpenSSL's connection lives from the first ClientHello to the exported keys, and no longer: it weighs some 60 kB, a
hundred times what is needed afterwards. What remains is our last flight, for a client that lost it (RFC 6347 section
4.2.4), and the keys of alerts. The only file outside ``net/`` that knows a clock: OpenSSL keeps its timer itself and
reads real time.
"""

from __future__ import annotations

from enum import Enum

from OpenSSL import SSL

from media.parameters import Fingerprint
from media.transport import records
from media.transport.certificate import Certificate, matches
from media.transport.records import AlertKeys
from media.transport.srtp import PROFILES, SrtpKeys

_EXPORTER = b"EXTRACTOR-dtls_srtp"  # RFC 5764 section 4.2
_MOST_REPEATS = 16  # of our last flight: a client's timer doubles from 50 ms or 1 s, it gives up long before


class DtlsState(Enum):
    HANDSHAKE = "handshake"
    CONNECTED = "connected"
    CLOSED = "closed"
    FAILED = "dtls"
    IMPOSTOR = "fingerprint"


class DtlsServer:
    """Feed ``receive``; look at ``state`` and, once connected, at ``keys``."""

    __slots__ = ("_alerts", "_certificate", "_last_flight", "_promised", "_repeats", "_ssl", "keys", "state")

    def __init__(self, certificate: Certificate, promised: tuple[Fingerprint, ...]) -> None:
        self._certificate = certificate
        self._promised = promised
        self._ssl: SSL.Connection | None = None
        self._alerts: AlertKeys | None = None
        self._last_flight = b""
        self._repeats = 0
        self.state = DtlsState.HANDSHAKE
        self.keys: SrtpKeys | None = None

    @property
    def waiting(self) -> bool:
        """A handshake is under way: ``tick`` has something to look at."""
        return self._ssl is not None

    def receive(self, datagram: bytes) -> list[bytes]:
        """Takes one datagram, returns those to send."""
        if self.state is DtlsState.CONNECTED:
            return self._after(datagram)
        if self.state is not DtlsState.HANDSHAKE:
            return []
        if self._ssl is None:
            if not records.opens(datagram):
                return []
            self._ssl = _connection(self._certificate)
        return self._step(self._ssl, datagram)

    def _step(self, ssl: SSL.Connection, datagram: bytes) -> list[bytes]:
        try:
            ssl.bio_write(datagram)
            ssl.do_handshake()
            self._finish(ssl)
        except SSL.WantReadError:
            pass
        except SSL.Error:
            self.state = DtlsState.FAILED
        outgoing = _outgoing(ssl)
        if self.state is not DtlsState.HANDSHAKE:
            self._ssl = None  # its work is done, or it will never be
            self._last_flight = outgoing if self.state is DtlsState.CONNECTED else b""
        return records.datagrams(outgoing)

    def _finish(self, ssl: SSL.Connection) -> None:
        certificate = ssl.get_peer_certificate(as_cryptography=True)
        if certificate is None or not matches(certificate, self._promised):
            self.state = DtlsState.IMPOSTOR
            return
        profile = PROFILES.get(ssl.get_selected_srtp_profile())
        if profile is None:
            self.state = DtlsState.FAILED
            return
        material = ssl.export_keying_material(_EXPORTER, 2 * (profile.key_length + profile.salt_length))
        self.keys = SrtpKeys.from_exporter(profile, material)
        self._alerts = _alert_keys(ssl)
        self.state = DtlsState.CONNECTED

    def _after(self, datagram: bytes) -> list[bytes]:
        """Connected: a peer that says goodbye, or one that lost our last flight; data channels are not ours."""
        kind = datagram[0] if len(datagram) > records.HEADER else 0
        if kind in (records.HANDSHAKE, records.CHANGE_CIPHER_SPEC) and self._repeats < _MOST_REPEATS:
            self._repeats += 1
            return [self._last_flight]
        if kind == records.ALERT and self._alerts is not None and self._alerts.ends(datagram):
            self.state = DtlsState.CLOSED
        return []

    def tick(self) -> list[bytes]:
        """Retransmits a flight whose timer ran out (RFC 6347 section 4.2.4)."""
        if self._ssl is None:
            return []
        timeout = self._ssl.DTLSv1_get_timeout()
        if timeout is None or timeout > 0:
            return []
        try:
            self._ssl.DTLSv1_handle_timeout()
        except SSL.Error:
            self.state = DtlsState.FAILED
        outgoing = records.datagrams(_outgoing(self._ssl))
        if self.state is DtlsState.FAILED:
            self._ssl = None
        return outgoing

    def close(self) -> list[bytes]:
        """Our close_notify; the peer then knows at once that it is alone."""
        self._ssl = None
        if self.state is not DtlsState.CONNECTED:
            return []
        self.state = DtlsState.CLOSED
        return [self._alerts.goodbye()] if self._alerts is not None else []


def _connection(certificate: Certificate) -> SSL.Connection:
    made = SSL.Connection(certificate.context)
    made.set_accept_state()
    made.set_ciphertext_mtu(records.MTU)
    return made


def _alert_keys(ssl: SSL.Connection) -> AlertKeys | None:
    master, theirs, ours = ssl.master_key(), ssl.client_random(), ssl.server_random()
    if ssl.get_cipher_name() != records.SUITE or master is None or theirs is None or ours is None:
        return None
    return AlertKeys.derive(master, theirs, ours)


def _outgoing(ssl: SSL.Connection) -> bytes:
    try:
        return ssl.bio_read(65536)
    except SSL.WantReadError:
        return b""
