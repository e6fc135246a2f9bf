"""A tiny SDP glue for media tests: offers to media calls and an answer. The real one lives in ``signaling/sdp``.

Rule: understands just what aiortc and Chromium offer; asserts on anything else.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

from media.config import MediaConfig
from media.engine import Address
from media.net.server import MediaServer, open_media
from media.net.udp import UdpPort
from media.parameters import (
    Codec,
    Extensions,
    Fingerprint,
    IceCredentials,
    Kind,
    SlotParameters,
    TrackParameters,
    TransportAnswer,
    TransportParameters,
)
from media.pyengine import PythonEngine
from media.sfu import Sfu
from media.transport.certificate import Certificate

URIS = {
    "urn:ietf:params:rtp-hdrext:sdes:mid": "mid",
    "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id": "rid",
    "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id": "repaired_rid",
    "urn:ietf:params:rtp-hdrext:ssrc-audio-level": "audio_level",
    "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time": "abs_send_time",
    "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01": "transport_cc",
}
TAKEN = {"opus": "audio/opus", "red": "audio/red", "vp8": "video/VP8", "h264": "video/H264"}


@dataclass
class Section:
    """One m-line of an offer."""

    kind: Kind
    mid: str
    lines: list[str]
    codecs: list[Codec] = field(default_factory=list)
    extensions: Extensions = field(default_factory=Extensions)
    ssrcs: tuple[int, ...] = ()
    rtx_ssrcs: tuple[int, ...] = ()
    rids: tuple[str, ...] = ()

    @property
    def sends(self) -> bool:
        return "a=sendonly" in self.lines or "a=sendrecv" in self.lines


def one(pattern: str, text: str) -> str:
    found = re.search(pattern, text, re.M)
    assert found, pattern
    return found.group(1).strip()


def parse_offer(sdp: str) -> tuple[TransportParameters, list[Section]]:
    sdp = sdp.replace("\r\n", "\n")
    ice = IceCredentials(one(r"^a=ice-ufrag:(.*)$", sdp), one(r"^a=ice-pwd:(.*)$", sdp))
    prints = {Fingerprint(*m) for m in re.findall(r"^a=fingerprint:(\S+) (\S+)$", sdp, re.M)}
    parts = re.split(r"^(?=m=)", sdp, flags=re.M)[1:]
    return TransportParameters(ice, tuple(prints)), [_section(part) for part in parts]


def _section(part: str) -> Section:
    lines = part.splitlines()
    kind: Any = lines[0][2:].split()[0]
    section = Section(kind, one(r"^a=mid:(.*)$", part), lines)
    fmtp = dict(re.findall(r"^a=fmtp:(\d+) (.*)$", part, re.M))
    maps = re.findall(r"^a=rtpmap:(\d+) ([^/]+)/(\d+)(?:/(\d+))?", part, re.M)
    rtx = {fmtp[pt].split("apt=")[1].split(";")[0]: int(pt) for pt, name, *_ in maps if name.lower() == "rtx"}
    for pt, name, rate, channels in maps:
        if name.lower() in TAKEN:
            mime = TAKEN[name.lower()]
            section.codecs.append(Codec(mime, int(pt), int(rate), int(channels or 1), fmtp.get(pt, ""), rtx.get(pt)))
    ids = {URIS[uri]: int(i) for i, uri in re.findall(r"^a=extmap:(\d+)\S* (\S+)", part, re.M) if uri in URIS}
    section.extensions = Extensions(**ids)
    flows = re.search(r"^a=ssrc-group:FID (\d+) (\d+)", part, re.M)
    if flows:
        section.ssrcs, section.rtx_ssrcs = (int(flows.group(1)),), (int(flows.group(2)),)
    else:
        section.ssrcs = tuple(dict.fromkeys(int(s) for s in re.findall(r"^a=ssrc:(\d+)", part, re.M)))[:1]
    section.rids = tuple(re.findall(r"^a=rid:(\S+) send", part, re.M))
    return section


def answer(
    transport: TransportAnswer,
    sections: list[Section],
    codecs: dict[str, list[Codec]],
    slots: dict[str, SlotParameters],
    udp: bool = True,
    tcp: bool = True,
) -> str:
    lines = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=ice-lite"]
    lines += [f"a=group:BUNDLE {' '.join(s.mid for s in sections)}", "a=msid-semantic:WMS *"]
    for section in sections:
        lines += _answer_section(transport, section, codecs[section.mid], slots.get(section.mid), udp, tcp)
    return "\r\n".join(lines) + "\r\n"


def _answer_section(
    transport: TransportAnswer, section: Section, codecs: list[Codec], slot: SlotParameters | None, udp: bool, tcp: bool
) -> list[str]:
    types = [str(t) for c in codecs for t in (c.payload_type, c.rtx) if t is not None]
    lines = [f"m={section.kind} 9 UDP/TLS/RTP/SAVPF {' '.join(types)}", "c=IN IP4 0.0.0.0", f"a=mid:{section.mid}"]
    lines += [f"a=ice-ufrag:{transport.ice.ufrag}", f"a=ice-pwd:{transport.ice.pwd}", "a=setup:passive", "a=rtcp-mux"]
    lines += ["a=rtcp-rsize", f"a=fingerprint:{transport.fingerprint.algorithm} {transport.fingerprint.value}"]
    lines += ["a=sendonly" if slot else "a=recvonly", "a=rtcp:9 IN IP4 0.0.0.0"]
    for codec in codecs:
        name = codec.mime.split("/")[1]
        channels = f"/{codec.channels}" if codec.channels > 1 else ""
        lines.append(f"a=rtpmap:{codec.payload_type} {name}/{codec.clock_rate}{channels}")
        if codec.fmtp:
            lines.append(f"a=fmtp:{codec.payload_type} {codec.fmtp}")
        if section.kind == "video":
            lines += [f"a=rtcp-fb:{codec.payload_type} {f}" for f in ("nack", "nack pli", "ccm fir", "goog-remb")]
        if not slot or slot.extensions.transport_cc is not None:
            lines.append(f"a=rtcp-fb:{codec.payload_type} transport-cc")
        if codec.rtx is not None:
            lines += [f"a=rtpmap:{codec.rtx} rtx/90000", f"a=fmtp:{codec.rtx} apt={codec.payload_type}"]
    for uri, name in URIS.items():
        number = getattr(slot.extensions if slot else section.extensions, name)
        if number is not None:
            lines.append(f"a=extmap:{number} {uri}")
    if slot:
        lines += _ssrcs(slot)
    if section.rids:
        lines += [f"a=rid:{rid} recv" for rid in section.rids] + [f"a=simulcast:recv {';'.join(section.rids)}"]
    for c in transport.candidates:
        if c.protocol == "udp" and udp:
            lines.append(f"a=candidate:{c.foundation} 1 udp {c.priority} {c.address} {c.port} typ host")
        elif c.protocol == "tcp" and tcp:
            lines.append(f"a=candidate:{c.foundation} 1 tcp {c.priority} {c.address} {c.port} typ host tcptype passive")
    return [*lines, "a=end-of-candidates"]


def _ssrcs(slot: SlotParameters) -> list[str]:
    """Primary first: Chromium takes the first a=ssrc for the picture."""
    all_ssrcs = [s for s in (slot.ssrc, slot.rtx_ssrc) if s is not None]
    lines = [f"a=msid:stream {slot.kind}{slot.mid}"]
    if len(all_ssrcs) == 2:
        lines.append(f"a=ssrc-group:FID {slot.ssrc} {slot.rtx_ssrc}")
    return lines + [f"a=ssrc:{s} cname:tongtang" for s in all_ssrcs]


def preferred(codecs: list[Codec], mime: str) -> list[Codec]:
    """The codec a publisher gets: one of the mime, H264 in mode 1 if there is one."""
    same = [c for c in codecs if c.mime == mime]
    return ([c for c in same if "packetization-mode=1" in c.fmtp] or same)[:1]


def publish(sfu: Sfu, router: str, name: str, sdp: str, now: float, video: str = "video/VP8", **paths: bool) -> str:
    """Answers a sendonly offer; tracks are named ``{name}/{mid}``."""
    parameters, sections = parse_offer(sdp)
    transport = sfu.add_transport(router, name, parameters, now)
    chosen: dict[str, list[Codec]] = {}
    for s in sections:
        chosen[s.mid] = preferred(s.codecs, "audio/opus" if s.kind == "audio" else video)
        track = TrackParameters(
            s.mid,
            s.kind,
            "mic" if s.kind == "audio" else "camera",
            chosen[s.mid][0],
            s.extensions,
            s.ssrcs,
            s.rtx_ssrcs,
            s.rids,
        )
        sfu.publish(name, f"{name}/{s.mid}", track, now)
    return answer(transport, sections, chosen, {}, **paths)


def subscribe(
    sfu: Sfu, router: str, name: str, sdp: str, now: float, rtx: bool = True, transport_cc: bool = False, **paths: bool
) -> str:
    """Answers a recvonly offer with one slot per m-line, named by its mid."""
    parameters, sections = parse_offer(sdp)
    transport = sfu.add_transport(router, name, parameters, now)
    slots: dict[str, SlotParameters] = {}
    codecs: dict[str, list[Codec]] = {}
    for i, s in enumerate(sections):
        e = s.extensions
        extensions = Extensions(
            mid=e.mid,
            audio_level=e.audio_level,
            abs_send_time=e.abs_send_time,
            transport_cc=e.transport_cc if transport_cc else None,
        )
        codecs[s.mid] = [
            c if rtx else Codec(c.mime, c.payload_type, c.clock_rate, c.channels, c.fmtp) for c in s.codecs
        ]
        has_rtx = rtx and s.kind == "video"
        slots[s.mid] = SlotParameters(
            s.mid, s.kind, tuple(codecs[s.mid]), extensions, 1000 + 10 * i, 1001 + 10 * i if has_rtx else None
        )
        sfu.add_slot(name, slots[s.mid])
    return answer(transport, sections, codecs, slots, **paths)


def lossy(share: float, seed: int = 1, since: asyncio.Event | None = None) -> type[UdpPort]:
    """A UDP port that loses this share of media packets each way (once ``since`` is set), from a seeded generator."""
    random = Random(seed)

    def loses(first: int) -> bool:
        return first >> 6 == 2 and (since is None or since.is_set()) and random.random() < share

    class LossyPort(UdpPort):
        def __init__(self, address: str, port: int) -> None:
            super().__init__(address, port)
            self.lost = 0

        def receive_into(self, buffer: bytearray) -> tuple[int, Address, float | None] | None:
            got = super().receive_into(buffer)
            while got is not None and loses(buffer[0]):
                self.lost += 1
                got = super().receive_into(buffer)
            return got

        def send(self, address: Address, data: memoryview, sizes: Sequence[int]) -> None:
            at = 0
            for size in sizes:
                if loses(data[at]):
                    self.lost += 1
                else:
                    super().send(address, data[at : at + size], (size,))
                at += size

    return LossyPort


@asynccontextmanager
async def running(
    udp_port: type[UdpPort] = UdpPort, router: str = "lesson", sfu: type[Sfu] = Sfu
) -> AsyncIterator[tuple[Sfu, MediaServer]]:
    """An SFU on loopback, on a port the system chooses."""
    config = MediaConfig(("127.0.0.1",), 0)
    made = sfu(config, PythonEngine(), Certificate.generate())
    server = await open_media(config, made, udp_port)
    made.add_router(router)
    try:
        yield made, server
    finally:
        made.remove_router(router, asyncio.get_running_loop().time())
        server.close()
        await asyncio.sleep(0)
