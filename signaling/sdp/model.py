"""A session description as values (RFC 8866, RFC 8829): only what the answer needs or must carry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Direction = Literal["sendrecv", "sendonly", "recvonly", "inactive"]
DIRECTIONS: tuple[Direction, ...] = ("sendrecv", "sendonly", "recvonly", "inactive")


class SdpError(Exception):
    """A description we cannot use. ``code`` is one of the sdp_* codes of signaling/README.md."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Payload:
    """One payload type: a=rtpmap, its a=fmtp and its a=rtcp-fb lines."""

    payload_type: int
    name: str
    clock_rate: int
    channels: int = 1
    fmtp: str = ""
    feedback: tuple[str, ...] = ()

    def parameter(self, key: str) -> str | None:
        for part in self.fmtp.split(";"):
            name, equals, value = part.strip().partition("=")
            if equals and name.lower() == key:
                return value.strip()
        return None


@dataclass(frozen=True, slots=True)
class ExtMap:
    """RFC 8285 a=extmap."""

    id: int
    uri: str
    direction: Direction | None = None


@dataclass(frozen=True, slots=True)
class SsrcGroup:
    semantics: str
    ssrcs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Ssrc:
    """All a=ssrc attributes of one SSRC, in order. The order of SSRCs matters: primary first (webrtc-notes, trap 1)."""

    ssrc: int
    attributes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Rid:
    """RFC 8851."""

    id: str
    direction: str
    restrictions: str = ""
    """What follows: "pt=96,97;max-width=1280"."""


@dataclass(frozen=True, slots=True)
class MediaSection:
    kind: str
    port: int
    protocol: str
    formats: tuple[str, ...]
    mid: str | None = None
    direction: Direction = "sendrecv"
    payloads: tuple[Payload, ...] = ()
    extmaps: tuple[ExtMap, ...] = ()
    ice_ufrag: str | None = None
    ice_pwd: str | None = None
    fingerprints: tuple[tuple[str, str], ...] = ()
    setup: str | None = None
    rtcp_mux: bool = False
    rtcp_rsize: bool = False
    msid: str | None = None
    ssrc_groups: tuple[SsrcGroup, ...] = ()
    ssrcs: tuple[Ssrc, ...] = ()
    rids: tuple[Rid, ...] = ()
    simulcast: str | None = None
    candidates: tuple[str, ...] = ()
    end_of_candidates: bool = False

    @property
    def sends(self) -> bool:
        return self.port != 0 and self.direction in ("sendrecv", "sendonly")

    @property
    def receives(self) -> bool:
        return self.port != 0 and self.direction in ("sendrecv", "recvonly")


@dataclass(frozen=True, slots=True)
class Description:
    """``bundle`` holds the mids of the one a=group:BUNDLE; more groups than one are not supported by us."""

    media: tuple[MediaSection, ...] = ()
    session_id: int = 0
    version: int = 0
    bundle: tuple[str, ...] = ()
    ice_lite: bool = False
    extmap_allow_mixed: bool = False
    ice_options: str | None = None
