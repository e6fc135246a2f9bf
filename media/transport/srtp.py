"""SRTP in place (RFC 3711, RFC 7714): libsrtp through pylibsrtp's own cffi binding, without its two copies.

Rule: the binding is private API of a pinned package, so a known answer decides at start whether it is used; if not,
pylibsrtp's public, copying interface does the same work at twice the price.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import pylibsrtp

# Room behind the plain packet: libsrtp's largest tag (16) and the SRTCP index (4), rounded up. We use no MKI.
TRAILER = 32
_REPLAY_WINDOW = 1024  # packets; RTX of a second ago may still come
_OK = 0


@dataclass(frozen=True, slots=True)
class SrtpProfile:
    """One DTLS-SRTP protection profile (RFC 5764 section 4.1.2)."""

    name: bytes
    policy: int
    key_length: int
    salt_length: int


PROFILES: dict[bytes, SrtpProfile] = {
    p.name: p
    for p in (
        SrtpProfile(b"SRTP_AEAD_AES_128_GCM", pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_128_GCM, 16, 12),
        SrtpProfile(b"SRTP_AEAD_AES_256_GCM", pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_256_GCM, 32, 12),
        SrtpProfile(b"SRTP_AES128_CM_SHA1_80", pylibsrtp.Policy.SRTP_PROFILE_AES128_CM_SHA1_80, 16, 14),
    )
}


@dataclass(frozen=True, slots=True)
class SrtpKeys:
    """Master key + salt of both directions, seen from the server."""

    profile: SrtpProfile
    receive: bytes
    send: bytes

    @classmethod
    def from_exporter(cls, profile: SrtpProfile, material: bytes) -> SrtpKeys:
        """RFC 5764 section 4.2: client key, server key, client salt, server salt."""
        k, s = profile.key_length, profile.salt_length
        client = material[:k] + material[2 * k : 2 * k + s]
        server = material[k : 2 * k] + material[2 * k + s : 2 * k + 2 * s]
        return cls(profile, receive=client, send=server)

    def mirrored(self) -> SrtpKeys:
        """The same keys as the peer holds them."""
        return SrtpKeys(self.profile, self.send, self.receive)


class Arena:
    """A bytearray whose address C knows. Must not be resized."""

    __slots__ = ("data", "pointer", "size")

    def __init__(self, size: int, binding: Binding | None) -> None:
        self.data = bytearray(size)
        self.size = size
        self.pointer: Any = binding.ffi.from_buffer("char[]", self.data) if binding else None


@dataclass(frozen=True, slots=True)
class Binding:
    """The cffi module of pylibsrtp."""

    ffi: Any
    lib: Any


class SrtpSession(Protocol):
    """Both directions of one peer. Sizes in, sizes out; 0 means refused (authentication, replay, key used up)."""

    bare: tuple[Any, Any, Any] | None
    """libsrtp's own ``srtp_protect``, its context and an ``int *`` of ours: for loops, where one more call costs as
    much as the cipher. None: the binding is not used."""

    def protect(self, arena: Arena, at: int, size: int) -> int: ...
    def unprotect(self, arena: Arena, size: int) -> int: ...
    def protect_rtcp(self, arena: Arena, at: int, size: int) -> int: ...
    def unprotect_rtcp(self, arena: Arena, size: int) -> int: ...


def _session(profile: SrtpProfile, key: bytes, inbound: bool) -> pylibsrtp.Session:
    policy = pylibsrtp.Policy(
        key=key,
        ssrc_type=pylibsrtp.Policy.SSRC_ANY_INBOUND if inbound else pylibsrtp.Policy.SSRC_ANY_OUTBOUND,
        srtp_profile=profile.policy,
    )
    policy.allow_repeat_tx = True  # a NACK answered without RTX sends the very same packet again
    policy.window_size = _REPLAY_WINDOW
    return pylibsrtp.Session(policy)


class InPlaceSrtp:
    """libsrtp on the arena's own bytes."""

    __slots__ = ("_keep", "_length", "_lib", "_protect", "_rx", "_tx", "_unprotect", "bare")

    def __init__(self, keys: SrtpKeys, binding: Binding) -> None:
        rx, tx = _session(keys.profile, keys.receive, True), _session(keys.profile, keys.send, False)
        self._keep = (rx, tx)  # they free the C side
        self._rx, self._tx = rx._srtp[0], tx._srtp[0]
        self._lib = binding.lib
        self._protect, self._unprotect = binding.lib.srtp_protect, binding.lib.srtp_unprotect  # lookups cost
        self._length = binding.ffi.new("int *")
        self.bare: tuple[Any, Any, Any] | None = (self._protect, self._tx, self._length)

    def protect(self, arena: Arena, at: int, size: int) -> int:
        length = self._length
        length[0] = size
        return 0 if self._protect(self._tx, arena.pointer + at, length) else length[0]

    def unprotect(self, arena: Arena, size: int) -> int:
        length = self._length
        length[0] = size
        return 0 if self._unprotect(self._rx, arena.pointer, length) else length[0]

    def protect_rtcp(self, arena: Arena, at: int, size: int) -> int:
        length = self._length
        length[0] = size
        return 0 if self._lib.srtp_protect_rtcp(self._tx, arena.pointer + at, length) else int(length[0])

    def unprotect_rtcp(self, arena: Arena, size: int) -> int:
        length = self._length
        length[0] = size
        return 0 if self._lib.srtp_unprotect_rtcp(self._rx, arena.pointer, length) else int(length[0])


class CopyingSrtp:
    """The same over pylibsrtp's public interface. It cannot protect packets above 1356 bytes: those are refused."""

    __slots__ = ("_rx", "_tx", "bare")

    def __init__(self, keys: SrtpKeys) -> None:
        self.bare: tuple[Any, Any, Any] | None = None
        self._rx = _session(keys.profile, keys.receive, True)
        self._tx = _session(keys.profile, keys.send, False)

    def protect(self, arena: Arena, at: int, size: int) -> int:
        return self._apply(self._tx.protect, arena, at, size)

    def unprotect(self, arena: Arena, size: int) -> int:
        return self._apply(self._rx.unprotect, arena, 0, size)

    def protect_rtcp(self, arena: Arena, at: int, size: int) -> int:
        return self._apply(self._tx.protect_rtcp, arena, at, size)

    def unprotect_rtcp(self, arena: Arena, size: int) -> int:
        return self._apply(self._rx.unprotect_rtcp, arena, 0, size)

    @staticmethod
    def _apply(function: Any, arena: Arena, at: int, size: int) -> int:
        try:
            out = function(bytes(arena.data[at : at + size]))
        except (pylibsrtp.Error, ValueError):
            return 0
        arena.data[at : at + len(out)] = out
        return len(out)


def open_session(keys: SrtpKeys, binding: Binding | None) -> SrtpSession:
    return InPlaceSrtp(keys, binding) if binding else CopyingSrtp(keys)


# libsrtp's own reference packet for AES-CM-128 + HMAC-SHA1-80 (its srtp_driver "validate" test).
_KNOWN_KEY = bytes.fromhex("e1f97a0d3e018be0d64fa32c06de41390ec675ad498afeebb6960b3aabe6")
_KNOWN_PLAIN = bytes.fromhex("800f1234decafbadcafebabe") + b"\xab" * 16
_KNOWN_CIPHER = bytes.fromhex("800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb")


def find_binding() -> Binding | None:
    """The binding, if it is there and gives the known answer both ways."""
    try:
        from pylibsrtp._binding import ffi, lib

        binding = Binding(ffi, lib)
        keys = SrtpKeys(PROFILES[b"SRTP_AES128_CM_SHA1_80"], _KNOWN_KEY, _KNOWN_KEY)
        session, arena = InPlaceSrtp(keys, binding), Arena(128, binding)
        arena.data[: len(_KNOWN_PLAIN)] = _KNOWN_PLAIN
        size = session.protect(arena, 0, len(_KNOWN_PLAIN))
        there = bytes(arena.data[:size]) == _KNOWN_CIPHER
        back = session.unprotect(arena, size) == len(_KNOWN_PLAIN) and arena.data.startswith(_KNOWN_PLAIN)
    except (ImportError, AttributeError, TypeError):
        return None
    return binding if there and back else None
