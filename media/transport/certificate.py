"""One certificate and one SSL context for all peers: a context of its own would cost each join 0.3 ms more."""

from __future__ import annotations

import datetime
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from OpenSSL import SSL

from media.parameters import Fingerprint

# GCM costs half of CM + SHA1 per packet. As DTLS server our order wins (OpenSSL takes the server's preference).
PROFILES = b"SRTP_AEAD_AES_128_GCM:SRTP_AEAD_AES_256_GCM:SRTP_AES128_CM_SHA1_80"
# The first is the suite whose alerts we read without OpenSSL (records.py): it must win wherever it is offered.
_CIPHERS = b"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA"
_DTLS_1_2 = 0xFEFD  # one record format to split datagrams by; every browser has it
_VALID_DAYS = 365  # nobody but the fingerprint is asked; a node does not run for a year on one certificate
_HASHES: dict[str, Callable[[], hashes.HashAlgorithm]] = {
    "sha-256": hashes.SHA256,
    "sha-384": hashes.SHA384,
    "sha-512": hashes.SHA512,
}


@dataclass(frozen=True, slots=True)
class Certificate:
    """Self-signed, made at start-up; peers learn its fingerprint from the signed-in signalling channel."""

    x509: x509.Certificate
    fingerprint: Fingerprint
    context: SSL.Context

    @classmethod
    def generate(cls) -> Certificate:
        key = ec.generate_private_key(ec.SECP256R1())  # the curve every browser has, and the fastest
        own = _self_signed(key)
        value = own.fingerprint(hashes.SHA256()).hex(":").upper()
        return cls(own, Fingerprint("sha-256", value), _context(own, key))


def _self_signed(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, secrets.token_hex(8))])  # says nothing about the school
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    # A clock that runs behind must not make it "not yet valid".
    builder = builder.not_valid_before(now - datetime.timedelta(days=1))
    builder = builder.not_valid_after(now + datetime.timedelta(days=_VALID_DAYS))
    return builder.sign(key, hashes.SHA256())


def _context(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> SSL.Context:
    context = SSL.Context(SSL.DTLS_SERVER_METHOD)
    context.set_max_proto_version(_DTLS_1_2)
    context.set_options(SSL.OP_NO_TICKET | SSL.OP_CIPHER_SERVER_PREFERENCE | SSL.OP_NO_RENEGOTIATION)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)  # nobody resumes: sessions would only pile up
    context.set_mode(SSL.MODE_RELEASE_BUFFERS)
    # RFC 8122: certificates are self-signed; the fingerprint is what counts, checked after the handshake.
    context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, lambda *_: True)
    context.use_certificate(certificate)
    context.use_privatekey(key)
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
