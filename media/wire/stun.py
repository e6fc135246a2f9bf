"""STUN Binding requests in, responses out: the part of RFC 8489 that an ICE-lite agent (RFC 8445 section 2.5) needs.

Rule: a request is believed only after its MESSAGE-INTEGRITY was checked; everything unreadable is a PeerError.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import struct
import zlib
from collections.abc import Callable
from typing import NamedTuple

from media.errors import PeerError

MAGIC = 0x2112A442
BINDING_REQUEST = 0x0001
BINDING_SUCCESS = 0x0101
BINDING_ERROR = 0x0111
USERNAME = 0x0006
MESSAGE_INTEGRITY = 0x0008
ERROR_CODE = 0x0009
XOR_MAPPED_ADDRESS = 0x0020
PRIORITY = 0x0024
USE_CANDIDATE = 0x0025
FINGERPRINT = 0x8028
ICE_CONTROLLED = 0x8029
ICE_CONTROLLING = 0x802A
_HEAD, _ATTRIBUTE, _FINGERPRINT = struct.Struct("!HHI"), struct.Struct("!HH"), struct.Struct("!HHI")
_TAIL = 24 + 8  # MESSAGE-INTEGRITY, FINGERPRINT
_INTEGRITY_HEAD = _ATTRIBUTE.pack(MESSAGE_INTEGRITY, 20)
_FINGERPRINT_XOR = 0x5354554E  # RFC 8489 section 14.7
_INNER, _OUTER = (bytes(b ^ pad for b in range(256)) for pad in (0x36, 0x5C))  # RFC 2104
_KNOWN_REQUIRED = {USERNAME, MESSAGE_INTEGRITY, ERROR_CODE, XOR_MAPPED_ADDRESS, PRIORITY, USE_CANDIDATE}


class StunMessage(NamedTuple):
    """A parsed message. ``raw`` and ``integrity_at`` let ``verify`` check the HMAC over the bytes as they came."""

    type: int
    transaction: bytes
    attributes: dict[int, bytes]
    raw: bytes
    integrity_at: int | None

    @property
    def username(self) -> str:
        return self.attributes.get(USERNAME, b"").decode("utf-8", "replace")

    @property
    def unknown_required(self) -> list[int]:
        """Comprehension-required attributes we do not understand (RFC 8489 section 6.3)."""
        return [a for a in self.attributes if a < 0x8000 and a not in _KNOWN_REQUIRED]


def parse(data: bytes) -> StunMessage:
    """RFC 8489 section 5. A wrong FINGERPRINT means "not STUN" (section 14.7)."""
    if len(data) < 20 or len(data) % 4 or data[0] & 0xC0:
        raise PeerError("not a STUN header")
    kind, length, magic = _HEAD.unpack_from(data)
    if magic != MAGIC or length != len(data) - 20:
        raise PeerError("not a STUN header")
    attributes: dict[int, bytes] = {}
    integrity_at = None
    at, end = 20, len(data)
    while at + 4 <= end:
        attribute, size = _ATTRIBUTE.unpack_from(data, at)
        if at + 4 + size > end:
            raise PeerError("STUN attribute runs over the end")
        if attribute == FINGERPRINT:
            _check_fingerprint(data, at, size)
        elif integrity_at is None:  # what follows MESSAGE-INTEGRITY is ignored (section 14.5)
            attributes.setdefault(attribute, data[at + 4 : at + 4 + size])
            integrity_at = at if attribute == MESSAGE_INTEGRITY else None
        at += 4 + (size + 3 & ~3)
    return StunMessage(kind, data[8:20], attributes, data, integrity_at)


def local_ufrag(data: bytes) -> str | None:
    """Ours in the USERNAME of what looks like a request, or None: throws noise out before anything dear is done."""
    if len(data) < 24 or _HEAD.unpack_from(data) != (BINDING_REQUEST, len(data) - 20, MAGIC):
        return None
    at, end = 20, len(data) - 4
    while at <= end:
        attribute, size = _ATTRIBUTE.unpack_from(data, at)
        if attribute == USERNAME:
            return data[at + 4 : at + 4 + size].partition(b":")[0].decode("ascii", "replace")
        at += 4 + (size + 3 & ~3)
    return None


def _check_fingerprint(data: bytes, at: int, size: int) -> None:
    if size != 4 or at + 8 != len(data):
        raise PeerError("misplaced STUN fingerprint")
    if struct.unpack_from("!I", data, at + 4)[0] != zlib.crc32(data[:at]) ^ _FINGERPRINT_XOR:
        raise PeerError("wrong STUN fingerprint")


def verify(message: StunMessage, password: str) -> bool:
    """MESSAGE-INTEGRITY (RFC 8489 section 14.5): HMAC-SHA1 over the message as if it ended with this attribute."""
    at = message.integrity_at
    given = message.attributes.get(MESSAGE_INTEGRITY)
    if at is None or given is None or len(given) != 20:
        return False
    return hmac.compare_digest(_integrity(message.raw[:at], password), given)


def _integrity(head: bytes, password: str) -> bytes:
    covered = head[:2] + (len(head) - 20 + 24).to_bytes(2, "big") + head[4:]
    return hmac.digest(password.encode(), covered, "sha1")  # one call in C: a quarter of an HMAC object's cost


def build(kind: int, transaction: bytes, attributes: list[tuple[int, bytes]], password: str | None) -> bytes:
    """A message with MESSAGE-INTEGRITY (when there is a password) and FINGERPRINT."""
    body = b"".join(_ATTRIBUTE.pack(a, len(v)) + v + bytes(-len(v) % 4) for a, v in attributes)
    message = _HEAD.pack(kind, len(body), MAGIC) + transaction + body
    if password is not None:
        message += _ATTRIBUTE.pack(MESSAGE_INTEGRITY, 20) + _integrity(message, password)
    message = message[:2] + (len(message) - 20 + 8).to_bytes(2, "big") + message[4:]
    return message + struct.pack("!HHI", FINGERPRINT, 4, zlib.crc32(message) ^ _FINGERPRINT_XOR)


def xor_address(address: str, port: int, transaction: bytes) -> bytes:
    """Value of XOR-MAPPED-ADDRESS (RFC 8489 section 14.2)."""
    if ":" in address:
        packed = ipaddress.ip_address(address.partition("%")[0]).packed
        mask = MAGIC.to_bytes(4, "big") + transaction
        xored = bytes(a ^ b for a, b in zip(packed, mask, strict=True))
        return struct.pack("!BBH", 0, 2, port ^ (MAGIC >> 16)) + xored
    number = int.from_bytes(bytes(map(int, address.split("."))), "big")  # a fifth of what ipaddress takes
    return struct.pack("!BBHI", 0, 1, port ^ (MAGIC >> 16), number ^ MAGIC)


class Routine:
    """A peer's checks of one path: they differ in their transaction only, and he sends them for ever. What need not be
    done again is kept: the password's half of the HMACs, the address as it stands in the answer."""

    __slots__ = ("_attributes", "_head", "_inner", "_mapped", "_outer", "_size", "path")

    def __init__(self, request: StunMessage, path: tuple[int, tuple[str, int]], password: str) -> None:
        """``request``: a good one, with MESSAGE-INTEGRITY."""
        self.path = path
        self._head, self._attributes = request.raw[:8], request.raw[20 : request.integrity_at]
        key = password.encode().ljust(64, b"\0")  # ours are shorter than a block
        self._inner = hashlib.sha1(key.translate(_INNER))
        self._outer = hashlib.sha1(key.translate(_OUTER))
        host, port = path[1]
        self._mapped = None if ":" in host else _mapped(host, port, b"")
        self._size = len(self._attributes) + 24

    def answer(self, data: bytes) -> bytes | None:
        """To another one of them; None: it is not, or not authentic, and must be read. A third of reading's price."""
        if data[:8] != self._head or data[20:-_TAIL] != self._attributes or data[-_TAIL:-28] != _INTEGRITY_HEAD:
            return None
        covered = data[:2] + self._size.to_bytes(2, "big") + data[4:-_TAIL]
        if not hmac.compare_digest(self._digest(covered), data[-28:-8]):
            return None
        transaction = data[8:20]
        return _success(transaction, self._mapped or _mapped(*self.path[1], transaction), self._digest)

    def _digest(self, covered: bytes) -> bytes:
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(covered)
        outer.update(inner.digest())
        return outer.digest()


def success(transaction: bytes, address: str, port: int, password: str) -> bytes:
    """The Binding success response that tells the peer its own address."""
    key = password.encode()
    return _success(transaction, _mapped(address, port, transaction), lambda data: hmac.digest(key, data, "sha1"))


def _mapped(address: str, port: int, transaction: bytes) -> bytes:
    value = xor_address(address, port, transaction)
    return _ATTRIBUTE.pack(XOR_MAPPED_ADDRESS, len(value)) + value


def _success(transaction: bytes, mapped: bytes, digest: Callable[[bytes], bytes]) -> bytes:
    """Laid out by hand: peers ask for ever."""
    attribute = transaction + mapped
    size = len(mapped) + 24  # as if it ended with MESSAGE-INTEGRITY
    integrity = digest(_HEAD.pack(BINDING_SUCCESS, size, MAGIC) + attribute)
    message = _HEAD.pack(BINDING_SUCCESS, size + 8, MAGIC) + attribute + _INTEGRITY_HEAD + integrity
    return message + _FINGERPRINT.pack(FINGERPRINT, 4, zlib.crc32(message) ^ _FINGERPRINT_XOR)


def error(request: StunMessage, code: int, reason: str, password: str | None) -> bytes:
    """A Binding error response (RFC 8489 section 14.8)."""
    value = struct.pack("!HBB", 0, code // 100, code % 100) + reason.encode()
    return build(BINDING_ERROR, request.transaction, [(ERROR_CODE, value)], password)
