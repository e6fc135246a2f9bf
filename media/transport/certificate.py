"""One certificate and one SSL context for all peers: a context of its own would cost each join 0.3 ms more."""

from __future__ import annotations

from collections.abc import Callable

from aiortc import RTCCertificate
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from OpenSSL import SSL

from media.parameters import Fingerprint

# GCM costs half of CM + SHA1 per packet. As DTLS server our order wins (OpenSSL takes the server's preference).
PROFILES = b"SRTP_AEAD_AES_128_GCM:SRTP_AES128_CM_SHA1_80"
_CIPHERS = b"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA"
_DTLS_1_2 = 0xFEFD  # one record format to split datagrams by; every browser has it
_HASHES: dict[str, Callable[[], hashes.HashAlgorithm]] = {
    "sha-256": hashes.SHA256,
    "sha-384": hashes.SHA384,
    "sha-512": hashes.SHA512,
}


class Certificate:
    """Self-signed, made at start-up; peers learn its fingerprint from the signed-in signalling channel."""

    def __init__(self, certificate: RTCCertificate) -> None:
        own = next(f for f in certificate.getFingerprints() if f.algorithm == "sha-256")
        self.fingerprint = Fingerprint(own.algorithm, own.value.upper())
        self.context = _context(certificate)

    @classmethod
    def generate(cls) -> Certificate:
        return cls(RTCCertificate.generateCertificate())


def _context(certificate: RTCCertificate) -> SSL.Context:
    context = SSL.Context(SSL.DTLS_SERVER_METHOD)
    context.set_max_proto_version(_DTLS_1_2)
    context.set_options(SSL.OP_NO_TICKET)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)  # nobody resumes: sessions would only pile up
    context.set_mode(SSL.MODE_RELEASE_BUFFERS)
    # RFC 8122: certificates are self-signed; the fingerprint is what counts, checked after the handshake.
    context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, lambda *_: True)
    context.use_certificate(certificate._cert)
    context.use_privatekey(certificate._key)
    context.set_cipher_list(_CIPHERS)
    context.set_tlsext_use_srtp(PROFILES)
    return context


def matches(certificate: x509.Certificate, promised: tuple[Fingerprint, ...]) -> bool:
    """RFC 8122 section 5: at least one promised fingerprint of a hash we know, and all of those must match."""
    known = [f for f in promised if f.algorithm.lower() in _HASHES]
    return bool(known) and all(certificate.fingerprint(_HASHES[f.algorithm.lower()]()) == _hex(f.value) for f in known)


def _hex(value: str) -> bytes:
    try:
        return bytes.fromhex(value.replace(":", ""))
    except ValueError:
        return b""
