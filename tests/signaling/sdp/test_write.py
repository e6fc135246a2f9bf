"""What is parsed can be written, and reads the same."""

from __future__ import annotations

import pytest

from signaling.sdp.parse import parse
from signaling.sdp.write import write
from tests.support.offers import NAMES, offer


@pytest.mark.parametrize("name", NAMES)
def test_round_trip(name: str) -> None:
    once = parse(offer(name))
    text = write(once)
    assert parse(text) == once and write(parse(text)) == text
    assert text.startswith("v=0\r\no=- ") and all(line.endswith("\r\n") for line in text.splitlines(keepends=True))


def test_primary_ssrc_stands_before_its_rtx() -> None:
    """webrtc-notes, trap 1."""
    lines = [
        line
        for line in write(parse(offer("chromium-pub"))).splitlines()
        if line.startswith(("a=ssrc:", "a=ssrc-group:FID"))
    ]
    group = next(line.split()[1:] for line in lines if line.startswith("a=ssrc-group"))
    order = list(dict.fromkeys(line[7:].split(" ")[0] for line in lines if line.startswith("a=ssrc:")))
    assert order[-2:] == group
