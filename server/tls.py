"""A secure origin for a school's own network: a certificate authority made on first start, and this machine's
certificate under it. Browsers give camera and microphone to secure origins only, and a LAN has no public name.

Rule: the authority signs for this machine and private networks only (name constraints), so that trusting it gives
nobody the power to pose as a bank; its key is readable by the owner only and leaves the data folder never.
"""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import ifaddr
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_DAYS = 3650  # put on every screen by hand: nobody does that each year
SITE_DAYS = 397  # browsers refuse longer ones
RENEW_BEFORE = timedelta(days=30)
# RFC 1918, loopback, link-local; and the names that exist without a registry.
NETWORKS = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16")
NAMES = ("localhost", "local", "lan")
AUTHORITY = "authority.crt"  # beside the site's certificate
Address = ipaddress.IPv4Address


@dataclass(frozen=True, slots=True)
class Paths:
    """``authority`` is what screens trust; ``certificate`` and ``key`` are what the servers show."""

    authority: Path
    certificate: Path
    key: Path


def local_addresses() -> tuple[Address, ...]:
    found = {str(ip.ip) for adapter in ifaddr.get_adapters() for ip in adapter.ips if ip.is_IPv4}
    return tuple(sorted(ipaddress.IPv4Address(one) for one in found))


def ensure(folder: Path, addresses: Sequence[Address], host: str = "", now: datetime | None = None) -> Paths:
    """Makes what is missing; the machine's certificate anew when it runs out or the machine has moved."""
    now = now or datetime.now(UTC)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    paths = Paths(folder / AUTHORITY, folder / "site.crt", folder / "site.key")
    authority_key = folder / "authority.key"
    if not paths.authority.exists() or not authority_key.exists():
        _make_authority(paths.authority, authority_key, addresses, host or socket.gethostname(), now)
        paths.certificate.unlink(missing_ok=True)
    if not _serves(paths, addresses, now):
        _make_site(paths, authority_key, addresses, host or socket.gethostname(), now)
    return paths


def fingerprint(authority: Path) -> str:
    """What a person compares before trusting."""
    return _read(authority).fingerprint(hashes.SHA256()).hex(":").upper()


def _read(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def _serves(paths: Paths, addresses: Sequence[Address], now: datetime) -> bool:
    if not paths.certificate.exists() or not paths.key.exists():
        return False
    held = _read(paths.certificate)
    names = held.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return set(addresses) <= set(names.get_values_for_type(x509.IPAddress)) and (
        held.not_valid_after_utc - now > RENEW_BEFORE
    )


def _write(path: Path, content: bytes, mode: int) -> None:
    """Whole or not at all; a key is never readable by others, not for a moment."""
    part = path.with_suffix(f"{path.suffix}.part")
    part.unlink(missing_ok=True)
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    _write(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), 0o600)


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _builder(subject: x509.Name, issuer: x509.Name, days: int, now: datetime) -> x509.CertificateBuilder:
    made = x509.CertificateBuilder().serial_number(x509.random_serial_number())
    made = made.subject_name(subject).issuer_name(issuer)
    # A screen's clock may run behind.
    return made.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=days))


def _usage(authority: bool) -> x509.KeyUsage:
    names = ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only")
    others = dict.fromkeys((*names, "decipher_only"), False)
    return x509.KeyUsage(digital_signature=not authority, key_cert_sign=authority, crl_sign=authority, **others)


def _make_authority(path: Path, key_path: Path, addresses: Sequence[Address], host: str, now: datetime) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    networks = [ipaddress.IPv4Network(one) for one in NETWORKS]
    public = [ipaddress.IPv4Network(one) for one in addresses if not any(one in network for network in networks)]
    permitted: list[x509.GeneralName] = [x509.IPAddress(one) for one in (*networks, *public)]
    permitted += [x509.DNSName(name) for name in dict.fromkeys((*NAMES, host))]
    own = _name(f"同堂 Tongtang {host}"[:64])
    made = _builder(own, own, AUTHORITY_DAYS, now).public_key(key.public_key())
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    made = made.add_extension(_usage(authority=True), critical=True)
    made = made.add_extension(x509.NameConstraints(permitted, None), critical=True)
    made = made.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    _write_key(key_path, key)
    _write(path, made.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM), 0o644)


def _make_site(paths: Paths, authority_key: Path, addresses: Sequence[Address], host: str, now: datetime) -> None:
    signer = load_pem_private_key(authority_key.read_bytes(), None)
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    issuer = _read(paths.authority)
    key = ec.generate_private_key(ec.SECP256R1())
    names: list[x509.GeneralName] = [x509.DNSName(name) for name in dict.fromkeys(("localhost", host, f"{host}.local"))]
    names += [x509.IPAddress(address) for address in addresses]
    made = _builder(_name(host[:64]), issuer.subject, SITE_DAYS, now).public_key(key.public_key())
    made = made.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    made = made.add_extension(_usage(authority=False), critical=True)
    made = made.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    made = made.add_extension(x509.SubjectAlternativeName(names), critical=False)
    made = made.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    _write_key(paths.key, key)
    _write(paths.certificate, made.sign(signer, hashes.SHA256()).public_bytes(Encoding.PEM), 0o644)
