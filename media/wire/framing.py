"""RFC 4571 frames: how datagrams travel over ICE-TCP (RFC 6544 section 3). Rule: bounded, whatever the peer sends."""

from __future__ import annotations

from media.errors import PeerError

# Nothing a WebRTC peer sends is larger than an Ethernet frame; a larger length means this is not ICE-TCP.
MAX_FRAME = 2048


def frame(packet: bytes | memoryview) -> bytes:
    """One packet with its 16-bit length in front."""
    return len(packet).to_bytes(2, "big") + packet


class Deframer:
    """Cuts a byte stream into packets."""

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """Packets that are complete now. Raises PeerError when the stream cannot be frames."""
        data = self._rest + data
        packets, at = [], 0
        while len(data) - at >= 2:
            size = data[at] << 8 | data[at + 1]
            if not 0 < size <= MAX_FRAME:
                raise PeerError("frame length out of range")
            if len(data) - at - 2 < size:
                break
            packets.append(data[at + 2 : at + 2 + size])
            at += 2 + size
        self._rest = data[at:]
        return packets
