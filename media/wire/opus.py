"""What an Opus packet says of itself (RFC 6716 section 3): how long it lasts, without decoding."""

from __future__ import annotations

from media.errors import PeerError

CLOCK_RATE = 48_000  # RFC 7587 section 4.1: always, whatever the encoder does
MAX_SAMPLES = 5760  # RFC 6716 section 3.2.5 [R5]: 120 ms

SILENCE = b"\xf8\xff\xfe"
"""20 ms of silence: CELT, full band, mono, one frame; what decoders and other recorders have used for years."""
SILENCE_SAMPLES = 960

_SILK = (480, 960, 1920, 2880)
_HYBRID = (480, 960)
_CELT = (120, 240, 480, 960)


def _frame_samples(config: int) -> int:
    """RFC 6716 table 2."""
    if config < 12:
        return _SILK[config & 3]
    if config < 16:
        return _HYBRID[config & 1]
    return _CELT[config & 3]


def samples(packet: bytes | memoryview) -> int:
    """Duration at 48 kHz; PeerError for what is no Opus packet."""
    if not packet:
        raise PeerError("empty Opus packet")
    code = packet[0] & 3
    count = (1, 2, 2, 0)[code]
    if code == 3:
        if len(packet) < 2:
            raise PeerError("Opus packet without its frame count")
        count = packet[1] & 0x3F
    total = count * _frame_samples(packet[0] >> 3)
    if not 0 < total <= MAX_SAMPLES:
        raise PeerError("Opus packet of an impossible length")
    return total
