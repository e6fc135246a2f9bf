from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.wire.demux import Kind, classify


@pytest.mark.parametrize(
    ("first", "second", "kind"),
    [
        (0, 1, Kind.STUN),
        (3, 0, Kind.STUN),
        (4, 0, Kind.GARBAGE),
        (19, 0, Kind.GARBAGE),  # ZRTP ends here
        (20, 254, Kind.DTLS),
        (63, 0, Kind.DTLS),
        (64, 0, Kind.GARBAGE),  # TURN channels
        (127, 0, Kind.GARBAGE),
        (128, 96, Kind.RTP),
        (0x90, 0x80 | 63, Kind.RTP),
        (128, 191, Kind.RTP),
        (128, 192, Kind.RTCP),
        (0x81, 200, Kind.RTCP),
        (128, 223, Kind.RTCP),
        (128, 224, Kind.RTP),
        (192, 0, Kind.GARBAGE),
    ],
)
def test_borders_of_rfc_7983(first: int, second: int, kind: Kind) -> None:
    assert classify(bytes([first, second]) + bytes(30)) is kind


@given(st.binary(max_size=40), st.integers(0, 40))
def test_anything_has_a_kind_and_what_is_too_short_is_garbage(data: bytes, size: int) -> None:
    kind = classify(data, min(size, len(data)))
    if min(size, len(data)) < 8:
        assert kind is Kind.GARBAGE
