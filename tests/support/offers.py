"""Real offers of Chromium and aiortc, as files, and a way to bend them. Firefox's are as those published of Firefox 99
look, line by line, with keys and names of ours: it cannot be run here.
"""

from __future__ import annotations

from pathlib import Path

OFFERS = Path(__file__).parents[1] / "signaling" / "sdp" / "offers"
NAMES = sorted(path.stem for path in OFFERS.glob("*.sdp"))


def offer(name: str) -> str:
    return (OFFERS / f"{name}.sdp").read_bytes().decode()


def without(sdp: str, *starts: str) -> str:
    """The description without lines that begin so."""
    return "".join(line for line in sdp.splitlines(keepends=True) if not line.startswith(starts))
