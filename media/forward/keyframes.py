"""Where a decoder can start, and when to ask for such a place. Rule: one request per 500 ms however many ask.

A request makes a browser encode a whole picture on every simulcast layer: ten viewers joining at once must cost one.
"""

from __future__ import annotations

_COALESCE = 0.500
_IDR, _SPS, _STAP_A, _FU_A = 5, 7, 24, 28


def starts_key_frame(mime: str, payload: bytes) -> bool:
    """Whether this packet is the first of a picture that needs no other picture."""
    if mime == "video/VP8":
        return _vp8(payload)
    if mime == "video/H264":
        return _h264(payload)
    return True  # audio: every packet


def _vp8(payload: bytes) -> bool:
    """RFC 7741 sections 4.2, 4.3: S bit, partition 0, and P = 0 in the frame header behind the descriptor."""
    if len(payload) < 2 or payload[0] & 0x17 != 0x10:
        return False
    at = 1
    if payload[0] & 0x80:
        extended, at = payload[1], 2
        if extended & 0x80:  # picture id, 7 or 15 bits
            at += 2 if len(payload) > at and payload[at] & 0x80 else 1
        at += (extended >> 6 & 1) + (1 if extended & 0x30 else 0)
    return len(payload) > at and not payload[at] & 1


def _h264(payload: bytes) -> bool:
    """RFC 6184: a picture to start at begins with its SPS; an IDR slice counts too (senders with out-of-band sets)."""
    if len(payload) < 2:
        return False
    kind = payload[0] & 31
    if kind == _STAP_A:
        at = 1
        while at + 2 < len(payload):
            if payload[at + 2] & 31 in (_SPS, _IDR):
                return True
            at += 2 + (payload[at] << 8 | payload[at + 1])
        return False
    if kind == _FU_A:
        return bool(payload[1] & 0x80) and payload[1] & 31 in (_SPS, _IDR)
    return kind in (_SPS, _IDR)


class KeyFrameRequests:
    """One track's requests: ``ask`` notes a wish, ``due`` says when the publisher is to be told."""

    __slots__ = ("_last", "_wanted", "sent")

    def __init__(self) -> None:
        self._last = float("-inf")
        self._wanted = False
        self.sent = 0

    def ask(self) -> None:
        self._wanted = True

    def due(self, now: float) -> bool:
        """True at most once per 500 ms, and only if somebody asked since."""
        if not self._wanted or now - self._last < _COALESCE:
            return False
        self._wanted, self._last = False, now
        self.sent += 1
        return True
