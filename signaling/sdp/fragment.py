"""application/trickle-ice-sdpfrag (RFC 8840 section 9): what a WHIP or WHEP client PATCHes. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from media.parameters import IceCredentials, TransportAnswer
from signaling.sdp.answer import candidate_line
from signaling.sdp.model import SdpError
from signaling.sdp.parse import ICE_CHARACTERS

MAX_LINES = 400


@dataclass(frozen=True, slots=True)
class Fragment:
    """``ice`` None: candidates only."""

    ice: IceCredentials | None
    candidates: tuple[str, ...]


def read(text: str) -> Fragment:
    """The first credentials found: within a bundle there is one pair (RFC 8843 section 9)."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines or len(lines) > MAX_LINES or any(len(line) < 2 or line[1] != "=" for line in lines):
        raise SdpError("sdp_malformed", "no fragment")
    found: dict[str, str] = {}
    for line in lines:
        name, _, value = line[2:].partition(":")
        if line[0] == "a" and name in ("ice-ufrag", "ice-pwd"):
            found.setdefault(name, value.strip())
    candidates = tuple(line[2:].partition(":")[2] for line in lines if line.startswith("a=candidate:"))
    if not found:
        return Fragment(None, candidates)
    ufrag, pwd = found.get("ice-ufrag", ""), found.get("ice-pwd", "")
    fits = 4 <= len(ufrag) <= 256 and 22 <= len(pwd) <= 256  # RFC 8839 section 5.4
    if not fits or not ICE_CHARACTERS.match(ufrag) or not ICE_CHARACTERS.match(pwd):
        raise SdpError("sdp_ice")
    return Fragment(IceCredentials(ufrag, pwd), candidates)


def write(ours: TransportAnswer) -> str:
    """Our side after an ICE restart (RFC 9725 section 4.3.3). No media description: one bundle, one pair."""
    lines = [f"a=ice-ufrag:{ours.ice.ufrag}", f"a=ice-pwd:{ours.ice.pwd}", "a=ice-lite"]
    lines += [f"a=candidate:{candidate_line(one)}" for one in ours.candidates]
    return "".join(f"{line}\r\n" for line in [*lines, "a=end-of-candidates"])
