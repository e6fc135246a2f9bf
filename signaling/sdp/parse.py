"""SDP text -> Description. Any text gives a Description or an SdpError, never another exception.

Attributes that may stand at session level (ICE, DTLS: RFC 8829 section 5.8) are handed down to the m-lines.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from signaling.sdp.model import (
    DIRECTIONS,
    Description,
    Direction,
    ExtMap,
    MediaSection,
    Payload,
    Rid,
    SdpError,
    Ssrc,
    SsrcGroup,
)

MAX_MEDIA = 64
MAX_LINES = 4000
_TOKEN = re.compile(r"^[A-Za-z0-9_.+-]{1,64}$")
_RID = re.compile(r"^[A-Za-z0-9_-]{1,64}$")  # RFC 8852 section 3.3 names letters and digits; encoders send - and _ too
ICE_CHARACTERS = re.compile(r"^[A-Za-z0-9+/=_-]{1,256}$")  # RFC 8839 section 5.4, plus what encoders really send


@dataclass(slots=True)
class _Block:
    """Lines of one section as (attribute, value); the m= line itself is ``head``."""

    head: str = ""
    attributes: list[tuple[str, str]] = field(default_factory=list)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.attributes if key == name]

    def one(self, name: str) -> str | None:
        return next((value for key, value in self.attributes if key == name), None)

    def has(self, name: str) -> bool:
        return any(key == name for key, _ in self.attributes)


def parse(text: str) -> Description:
    session, blocks, origin = _split(text)
    session_id, version = _origin(origin)
    groups = [group.split()[1:] for group in session.all("group") if group.split()[:1] == ["BUNDLE"]]
    media = tuple(_media(block, session) for block in blocks)
    mids = [section.mid for section in media if section.mid is not None]
    if len(set(mids)) != len(mids):
        raise SdpError("sdp_malformed", "a mid twice")
    return Description(
        media=media,
        session_id=session_id,
        version=version,
        bundle=tuple(groups[0]) if groups else (),
        ice_lite=session.has("ice-lite"),
        extmap_allow_mixed=session.has("extmap-allow-mixed"),
        ice_options=session.one("ice-options"),
    )


def _split(text: str) -> tuple[_Block, list[_Block], str]:
    lines = text.replace("\r\n", "\n").split("\n")
    if lines[0].strip() != "v=0" or len(lines) > MAX_LINES:
        raise SdpError("sdp_malformed", "does not begin with v=0")
    session, blocks, origin = _Block(), list[_Block](), ""
    for line in lines[1:]:
        line = line.strip()
        if not line:
            continue
        if len(line) < 2 or line[1] != "=":
            raise SdpError("sdp_malformed", "a line without key")
        key, value = line[0], line[2:]
        if key == "m":
            blocks.append(_Block(head=value))
        elif key == "o":
            origin = value
        elif key == "a":
            name, _, rest = value.partition(":")
            (blocks[-1] if blocks else session).attributes.append((name, rest.strip()))
    if len(blocks) > MAX_MEDIA:
        raise SdpError("sdp_malformed", "too many media")
    return session, blocks, origin


def _origin(value: str) -> tuple[int, int]:
    parts = value.split()
    return (_int(parts[1]), _int(parts[2])) if len(parts) == 6 else (0, 0)


def _int(text: str, low: int = 0, high: int = 2**64) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 20) or not low <= int(text) <= high:
        raise SdpError("sdp_malformed", "a number expected")
    return int(text)


def _media(block: _Block, session: _Block) -> MediaSection:
    head = block.head.split()
    if len(head) < 4:
        raise SdpError("sdp_malformed", "m= line")
    ufrag, pwd = (block.one(name) or session.one(name) for name in ("ice-ufrag", "ice-pwd"))
    for value in (ufrag, pwd):
        if value is not None and not ICE_CHARACTERS.match(value):
            raise SdpError("sdp_ice", "characters")
    mid = block.one("mid")
    if mid is not None and not _TOKEN.match(mid):
        raise SdpError("sdp_malformed", "mid")
    return MediaSection(
        kind=head[0],
        port=_int(head[1].split("/")[0], 0, 65535),
        protocol=head[2],
        formats=tuple(head[3:]),
        mid=mid,
        direction=_direction(block, session),
        payloads=_payloads(block, head[3:]),
        extmaps=tuple(_extmap(value) for value in session.all("extmap") + block.all("extmap")),
        ice_ufrag=ufrag,
        ice_pwd=pwd,
        fingerprints=tuple(_fingerprint(one) for one in block.all("fingerprint") or session.all("fingerprint")),
        setup=block.one("setup") or session.one("setup"),
        rtcp_mux=block.has("rtcp-mux"),
        rtcp_rsize=block.has("rtcp-rsize"),
        msid=block.one("msid"),
        ssrc_groups=tuple(_ssrc_group(value) for value in block.all("ssrc-group")),
        ssrcs=_ssrcs(block),
        rids=tuple(_rid(value) for value in block.all("rid")),
        simulcast=block.one("simulcast"),
        candidates=tuple(block.all("candidate")),
        end_of_candidates=block.has("end-of-candidates"),
    )


def _direction(block: _Block, session: _Block) -> Direction:
    for place in (block, session):
        for direction in DIRECTIONS:
            if place.has(direction):
                return direction
    return "sendrecv"  # RFC 8866 section 6.7


def _payloads(block: _Block, formats: list[str]) -> tuple[Payload, ...]:
    """In the order of the m= line: the offerer's preference."""
    found: dict[int, Payload] = {}
    fmtp, feedback = _by_payload(block.all("fmtp")), _by_payload(block.all("rtcp-fb"))
    for value in block.all("rtpmap"):
        number, _, rest = value.partition(" ")
        payload_type = _int(number, 0, 127)
        encoding = rest.strip().split("/")
        if len(encoding) < 2:
            raise SdpError("sdp_malformed", "rtpmap")
        channels = _int(encoding[2], 1, 255) if len(encoding) > 2 else 1
        wild = feedback.get("*", [])
        found[payload_type] = Payload(
            payload_type,
            encoding[0],
            _int(encoding[1], 1, 10_000_000),
            channels,
            (fmtp.get(str(payload_type)) or [""])[0],
            tuple(feedback.get(str(payload_type), []) + wild),
        )
    return tuple(
        found[int(one)]
        for one in dict.fromkeys(formats)
        if one.isascii() and one.isdigit() and len(one) <= 3 and int(one) in found
    )


def _by_payload(values: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for value in values:
        number, _, rest = value.partition(" ")
        found.setdefault(number, []).append(rest.strip())
    return found


def _extmap(value: str) -> ExtMap:
    head, _, rest = value.partition(" ")
    number, _, direction = head.partition("/")
    uri = rest.split(" ")[0]
    if not uri:
        raise SdpError("sdp_malformed", "extmap")
    # RFC 8285: 1..14 one byte, up to 255 two bytes; 4096.. are for negotiation only
    way = next((one for one in DIRECTIONS if one == direction), None)
    return ExtMap(_int(number, 1, 4351), uri, way)


def _fingerprint(value: str) -> tuple[str, str]:
    algorithm, _, digest = value.partition(" ")
    return algorithm.lower(), digest.strip().upper()


def _ssrc_group(value: str) -> SsrcGroup:
    semantics, *numbers = value.split() or [""]
    return SsrcGroup(semantics, tuple(_int(number, 0, 2**32 - 1) for number in numbers))


def _ssrcs(block: _Block) -> tuple[Ssrc, ...]:
    found: dict[int, list[tuple[str, str]]] = {}
    for value in block.all("ssrc"):
        number, _, attribute = value.partition(" ")
        name, _, rest = attribute.partition(":")
        found.setdefault(_int(number, 0, 2**32 - 1), []).append((name, rest))
    return tuple(Ssrc(number, tuple(attributes)) for number, attributes in found.items())


def _rid(value: str) -> Rid:
    parts = value.split(None, 2)
    if len(parts) < 2 or not _RID.match(parts[0]):
        raise SdpError("sdp_malformed", "rid")
    return Rid(parts[0], parts[1], parts[2].strip() if len(parts) > 2 else "")
