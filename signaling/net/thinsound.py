"""Sound of our own children (fetcher, mixer, robot) as a thin line takes it: no page tells them to save, so they do.

aiortc encodes at 96 kbit/s in stereo, 20 ms a packet: some 90 kbit/s on the wire, where a room of 100 kbit/s starves. A
classroom's voices need a quarter of that; with 40 ms a packet the headers cost half, and each packet holds the one
before it once more, coarsely (in-band FEC), which only the speech coder of Opus can: hence no more than 24 kbit/s.
"""

from __future__ import annotations

import aiortc.codecs
from aiortc.codecs.opus import SAMPLE_RATE, TIME_BASE, OpusEncoder
from av import AudioResampler, CodecContext

BIT_RATE = 24_000
PACKET_MS = 40
EXPECTED_LOSS = "10"
"""Per cent: how much of each packet FEC may take."""


class ThinOpus(OpusEncoder):
    def __init__(self) -> None:
        super().__init__()
        codec = CodecContext.create("libopus", "w")
        codec.bit_rate, codec.sample_rate, codec.time_base = BIT_RATE, SAMPLE_RATE, TIME_BASE
        codec.format, codec.layout = "s16", "mono"
        codec.options = {
            "application": "voip",
            "frame_duration": str(PACKET_MS),
            "fec": "1",
            "packet_loss": EXPECTED_LOSS,
            "vbr": "constrained",
            "dtx": "0",  # silence is sent too: a gap would look like a lost line
        }
        self.codec = codec
        self.resampler = AudioResampler("s16", "mono", SAMPLE_RATE, frame_size=SAMPLE_RATE * PACKET_MS // 1000)


def thin() -> None:
    """From now on in this process; aiortc has no setting for it."""
    aiortc.codecs.OpusEncoder = ThinOpus  # type: ignore[attr-defined]
