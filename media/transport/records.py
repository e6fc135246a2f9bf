"""The few DTLS 1.2 records that still matter after a handshake: alerts, without OpenSSL's connection (RFC 6347, 5288).

Rule: only AES-128-GCM with SHA-256, which every browser takes and our own order puts first; for any other suite nothing
is kept, and silence tells that such a peer has gone.
"""

from __future__ import annotations

import hmac
import os
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

SUITE = "ECDHE-ECDSA-AES128-GCM-SHA256"
CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE = 20, 21, 22  # RFC 5246 section 6.2.1
HEADER = 13  # type 1, version 2, epoch 2, sequence 6, length 2 (RFC 6347 section 4.1)
MTU = 1200  # handshake datagrams must pass every tunnel, like browsers' media packets
_VERSION = b"\xfe\xfd"
_KEY, _SALT, _NONCE, _TAG = 16, 4, 8, 16  # RFC 5288 section 3
_CLOSE_NOTIFY, _FATAL = 0, 2
# Our Finished was record 0 of epoch 1 (OpenSSL may have repeated it under higher numbers): this is beyond all of them.
_GOODBYE = (1 << 48 | 1 << 20).to_bytes(8, "big")


@dataclass(frozen=True, slots=True)
class AlertKeys:
    """``client`` and ``server``: write key and salt of each side."""

    client: bytes
    server: bytes

    @classmethod
    def derive(cls, master: bytes, client_random: bytes, server_random: bytes) -> AlertKeys:
        """RFC 5246 section 6.3; a GCM suite has no MAC keys."""
        block = prf(master, b"key expansion" + server_random + client_random, 2 * (_KEY + _SALT))
        salts = block[2 * _KEY :]
        return cls(block[:_KEY] + salts[:_SALT], block[_KEY : 2 * _KEY] + salts[_SALT:])

    def ends(self, record: bytes) -> bool:
        """Whether this record of the peer is a genuine close_notify or fatal alert."""
        body = record[HEADER : HEADER + int.from_bytes(record[11:HEADER], "big")]
        if len(body) != _NONCE + 2 + _TAG:
            return False
        try:
            plain = _cipher(self.client).decrypt(self.client[_KEY:] + body[:_NONCE], body[_NONCE:], _additional(record))
        except InvalidTag:
            return False
        return plain[0] == _FATAL or plain[1] == _CLOSE_NOTIFY

    def goodbye(self) -> bytes:
        """Our close_notify. Its nonce is drawn: OpenSSL began its own at a random place, a clash is 2^-63."""
        head = bytes([ALERT]) + _VERSION + _GOODBYE
        nonce = os.urandom(_NONCE)
        sealed = _cipher(self.server).encrypt(self.server[_KEY:] + nonce, bytes([1, _CLOSE_NOTIFY]), _additional(head))
        return head + (_NONCE + len(sealed)).to_bytes(2, "big") + nonce + sealed


def _cipher(side: bytes) -> AESGCM:
    return AESGCM(side[:_KEY])


def _additional(record: bytes) -> bytes:
    """RFC 5246 section 6.2.3.3, with epoch and sequence for the number; an alert is two bytes long."""
    return record[3:11] + record[:3] + b"\x00\x02"


def prf(secret: bytes, seed: bytes, size: int) -> bytes:
    """RFC 5246 section 5 with SHA-256; ``seed`` begins with the label."""
    made, step = b"", seed
    while len(made) < size:
        step = hmac.digest(secret, step, "sha256")
        made += hmac.digest(secret, step + seed, "sha256")
    return made[:size]


def datagrams(data: bytes, limit: int = MTU) -> list[bytes]:
    """A memory BIO forgets datagram borders: whole records packed up to ``limit`` bytes."""
    packed: list[bytes] = []
    start = at = 0
    while at + HEADER <= len(data):
        end = at + HEADER + int.from_bytes(data[at + 11 : at + HEADER], "big")
        if end - start > limit and at > start:
            packed.append(data[start:at])
            start = at
        at = end
    if start < len(data):
        packed.append(data[start:])
    return packed


def opens(datagram: bytes) -> bool:
    """Whether it can begin a handshake: a ClientHello in the clear (RFC 6347 section 4.2.2)."""
    return len(datagram) > HEADER and datagram[0] == HANDSHAKE and datagram[3:5] == b"\0\0" and datagram[HEADER] == 1
