"""How long Opus packets last (RFC 6716 section 3), against a real encoder and noise."""

from __future__ import annotations

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.errors import PeerError
from media.wire import opus


@pytest.mark.parametrize("ms", ["2.5", "5", "10", "20", "40", "60"])
def test_a_real_encoders_packets(ms: str) -> None:
    encoder = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format = 48_000, "mono", "s16"
    encoder.options = {"frame_duration": ms}
    encoder.open()
    samples = int(float(ms) * 48)
    frame = av.AudioFrame.from_ndarray(np.zeros((1, samples), np.int16), layout="mono")
    frame.sample_rate, frame.pts = 48_000, 0
    packets = [bytes(packet) for packet in (*encoder.encode(frame), *encoder.encode(None))]
    assert packets
    assert {opus.samples(packet) for packet in packets} == {samples}


@pytest.mark.parametrize(
    ("packet", "samples"),
    [
        (opus.SILENCE, opus.SILENCE_SAMPLES),
        (b"\xf8", 960),
        (b"\x08\x01", 960),  # SILK 20 ms
        (b"\x18", 2880),  # SILK 60 ms
        (b"\x78", 960),  # hybrid 20 ms
        (b"\x80", 120),  # CELT 2.5 ms
        (b"\xf9ab", 1920),  # two frames of one size
        (b"\xfa\x01ab", 1920),
        (b"\xfb\x06", 5760),  # six frames of 20 ms: the most there may be
    ],
)
def test_golden_packets(packet: bytes, samples: int) -> None:
    assert opus.samples(packet) == samples


@pytest.mark.parametrize("packet", [b"", b"\xfb", b"\xfb\x00", b"\xfb\x07", b"\x1b\x03"])
def test_impossible_packets(packet: bytes) -> None:
    with pytest.raises(PeerError):
        opus.samples(packet)


@given(st.binary(max_size=5))
def test_noise_is_refused_cleanly(data: bytes) -> None:
    try:
        assert 0 < opus.samples(data) <= opus.MAX_SAMPLES
    except PeerError:
        return
