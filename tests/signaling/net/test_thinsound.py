"""What our children's sound costs on the wire, and that a lost packet is in the next one."""

from __future__ import annotations

import asyncio
import math
import random
from array import array
from collections.abc import Iterator
from fractions import Fraction

import aiortc.codecs
import pytest
from aiortc import RTCPeerConnection
from aiortc.mediastreams import MediaStreamTrack
from av import AudioFrame

from media.wire.opus import samples
from signaling.net.thinsound import BIT_RATE, PACKET_MS, ThinOpus, thin
from tests.support.signaling import until

RATE, BLOCK = 48_000, 960
HEADERS = 20 + 8 + 12 + 12 + 10
"""IPv4, UDP, RTP, its extensions, SRTP's tag."""


def speech(seconds: float) -> Iterator[AudioFrame]:
    """Syllables of a low voice over a room's noise, 20 ms at a time."""
    chance = random.Random(1)
    for block in range(round(seconds * RATE / BLOCK)):
        wave = array("h")
        for n in range(block * BLOCK, (block + 1) * BLOCK):
            t = n / RATE
            voice = sum(math.sin(math.tau * 140 * k * t + math.sin(3 * t)) / k for k in range(1, 6))
            wave.append(round(4000 * voice * (0.5 + 0.5 * math.sin(25 * t)) + chance.gauss(0, 200)))
        frame = AudioFrame("s16", "mono", BLOCK)
        frame.planes[0].update(wave.tobytes())
        frame.sample_rate, frame.pts, frame.time_base = RATE, block * BLOCK, Fraction(1, RATE)
        yield frame


def test_a_second_of_speech_by_its_packets() -> None:
    encoder = ThinOpus()
    told = [encoder.encode(frame) for frame in speech(3)]
    packets = [(packet, at) for payloads, at in told for packet in payloads]
    assert all(len(payloads) <= 1 for payloads, _ in told), "aiortc gives all of one call one timestamp"
    assert [at for _, at in packets] == [n * RATE * PACKET_MS // 1000 for n in range(len(packets))]
    assert all(samples(packet) == RATE * PACKET_MS // 1000 for packet, _ in packets)
    assert not any(packet[0] & 4 for packet, _ in packets), "mono (RFC 6716 section 3.1)"
    assert sum(len(packet) for packet, _ in packets) * 8 / 3 < 1.1 * BIT_RATE
    # RFC 6716 section 4.2.3: after the voice flags of both 20 ms stands whether the packet before is in here.
    repeated = [packet[1] & 0x20 for packet, _ in packets if packet[0] >> 3 < 12]
    assert sum(map(bool, repeated)) > 0.8 * len(packets)


class Voice(MediaStreamTrack):
    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self._frames = list(speech(4))
        self._began, self._at = 0.0, 0

    async def recv(self) -> AudioFrame:
        now = asyncio.get_running_loop().time()
        self._began = self._began or now
        await asyncio.sleep(max(0.0, self._began + self._at * BLOCK / RATE - now))
        self._at += 1
        return self._frames[(self._at - 1) % len(self._frames)]


async def test_a_second_of_speech_on_the_wire(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aiortc.codecs, "OpusEncoder", aiortc.codecs.OpusEncoder)  # put back afterwards
    thin()
    sends, hears = RTCPeerConnection(), RTCPeerConnection()
    sender = sends.addTrack(Voice())
    try:
        await sends.setLocalDescription(await sends.createOffer())
        await hears.setRemoteDescription(sends.localDescription)
        await hears.setLocalDescription(await hears.createAnswer())
        await sends.setRemoteDescription(hears.localDescription)

        async def sent() -> tuple[int, int]:
            found = next(one for one in (await sender.getStats()).values() if one.type == "outbound-rtp")
            return found.packetsSent, found.bytesSent

        async def more_than(packets: int) -> tuple[int, int] | None:
            found = await sent()
            return found if found[0] > packets else None

        first = await until(lambda: more_than(5))
        last = await until(lambda: more_than(first[0] + 1000 // PACKET_MS))
    finally:
        await sends.close()
        await hears.close()
    packets, octets = (b - a for a, b in zip(first, last, strict=True))
    bits = 8 * (octets + HEADERS * packets) / (packets * PACKET_MS / 1000)
    assert 20_000 < bits < 45_000, "aiortc's own is some 90 kbit/s"
