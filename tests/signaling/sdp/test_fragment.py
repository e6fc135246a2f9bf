"""Fragments of trickle ICE: what clients send, what a restart answers."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.parameters import IceCredentials
from signaling.sdp.fragment import read, write
from signaling.sdp.model import SdpError
from tests.signaling.sdp.test_answer import OURS

PWD = "p" * 22


def test_candidates_only() -> None:
    found = read("m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\na=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n")
    assert found.ice is None and found.candidates == ("1 1 udp 1 192.0.2.1 9 typ host",)


def test_a_restart_names_the_first_pair() -> None:
    first, second = (f"a=ice-ufrag:{one}\r\na=ice-pwd:{PWD}\r\n" for one in ("abcd", "efgh"))
    assert read(f"{first}m=video 9 RTP/AVP 0\r\na=mid:1\r\n{second}").ice == IceCredentials("abcd", PWD)


@pytest.mark.parametrize(
    "text", ["", "nonsense", "a", f"a=ice-ufrag:abc\r\na=ice-pwd:{PWD}", "a=ice-ufrag:abcd", "a=x\n" * 401]
)
def test_what_is_none(text: str) -> None:
    with pytest.raises(SdpError):
        read(text)


@given(st.text(max_size=200))
def test_any_text_is_a_fragment_or_refused(text: str) -> None:
    with suppress(SdpError):
        read(text)


def test_our_side_reads_back() -> None:
    found = read(write(OURS))
    assert found.ice == OURS.ice and len(found.candidates) == len(OURS.candidates)
