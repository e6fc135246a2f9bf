"""The C twin of the packet engine: ``media._engine`` (sources in ``native/``) with the contract's face.

Rule: optional. ``find_native`` gives nothing where the extension was not built, or where no OpenSSL on this machine
gives the known answers; then ``PythonEngine`` does the same, packet for packet.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
from collections.abc import Sequence
from random import Random, SystemRandom
from typing import Any

from media.engine import (
    Datagram,
    Detail,
    EngineEvent,
    KeyFrameWanted,
    LinkConfig,
    LinkSwitched,
    Loudness,
    PeerCounters,
    Port,
    Reception,
    RtcpArrived,
    Sending,
    StreamActive,
    StreamConfig,
)
from media.forward.subscription import matching
from media.parameters import Codec, Extensions, Kind
from media.record.sink import TrackSink
from media.transport.ice import Path
from media.transport.srtp import SrtpKeys
from media.wire.extensions import build, elements

log = logging.getLogger("tongtang.media")

# Numbers of native/srtp.h.
_PROFILES = {b"SRTP_AEAD_AES_128_GCM": 1, b"SRTP_AEAD_AES_256_GCM": 2, b"SRTP_AES128_CM_SHA1_80": 3}
# Numbers of native/engine.h.
_FORMS = {"video/VP8": 1, "video/H264": 2}
_OTHER_VIDEO = 3
_BATCH = 256  # datagrams of a port that is no socket, per call
_BELIEVED = 1.0  # seconds that an arrival may differ from now
_FIXED_HEADER = 12

Head = tuple[bytes, int, int, int]


def find_native() -> Any:
    """The extension module, or None: not built, or no library here that it can take its ciphers from."""
    try:
        native = importlib.import_module("media._engine")
    except ImportError:
        return None
    return native if any(native.load_crypto(path) for path in _crypto_libraries()) else None


def _crypto_libraries() -> list[str]:
    """The system's own, which its updates mend; else the one that came with the SRTP wheel."""
    wheel = importlib.util.find_spec("pylibsrtp._binding")
    return ["libcrypto.so.3", *([wheel.origin] if wheel and wheel.origin else [])]


def _form(kind: Kind, codec: Codec) -> int:
    return 0 if kind == "audio" else _FORMS.get(codec.mime, _OTHER_VIDEO)


def _optional(number: int | None) -> int:
    return -1 if number is None else number


def _red_types(codecs: Sequence[Codec], plain: Sequence[Codec]) -> tuple[tuple[int, int], ...]:
    """(payload type, that of the RED which may carry it): its fmtp (RFC 2198 section 5) names it."""
    red = [c for c in codecs if c.mime.lower() == "audio/red"]
    pairs = [(p.payload_type, r.payload_type) for p in plain for r in red if str(p.payload_type) in r.fmtp.split("/")]
    return tuple(dict(reversed(pairs)).items())


def head_of(negotiated: Extensions, mid: str, audio_level: bool) -> Head:
    """A subscriber's packet head with empty places, and where these are (0: absent): level, stamp, transport-cc."""
    values = {
        "mid": (negotiated.mid, mid.encode()),
        "level": (negotiated.audio_level if audio_level else None, b"\x7f"),
        "stamp": (negotiated.abs_send_time, bytes(3)),
        "transport_cc": (negotiated.transport_cc, bytes(2)),
    }
    there = {name: (number, value) for name, (number, value) in values.items() if number is not None}
    block = build(list(there.values()))
    profile = int.from_bytes(block[:2], "big")
    places = [_FIXED_HEADER + at for _, at, _ in elements(block, profile, 4, len(block))] if block else []
    at = dict(zip(there, places, strict=True))
    fixed = bytes([0x90 if block else 0x80]) + bytes(_FIXED_HEADER - 1)
    return fixed + block, at.get("level", 0), at.get("stamp", 0), at.get("transport_cc", 0)


class CEngine:
    """See ``media.engine.Engine``. ``module``: what ``find_native`` gave; ``random``: as of ``PythonEngine``."""

    native = True

    def __init__(self, module: Any, random: Random | None = None) -> None:
        self._random = random or SystemRandom()
        self._core = module.Engine(Datagram, RtcpArrived, StreamActive, KeyFrameWanted, LinkSwitched, self._on_tap)
        self._ports: dict[int, Port] = {}
        self._sockets: set[int] = set()  # handles of ports that the core reads itself
        self._buffer = bytearray(2048)
        self._streams: dict[int, StreamConfig] = {}
        self._links: dict[int, LinkConfig] = {}
        self._sinks: dict[int, TrackSink] = {}
        self._failed: set[int] = set()  # streams whose recorder failed: said once

    @property
    def garbage(self) -> int:
        return int(self._core.garbage)

    @garbage.setter
    def garbage(self, number: int) -> None:
        self._core.garbage = number

    # --- ports, peers ------------------------------------------------------------------------------------------------

    def attach(self, port: Port) -> int:
        """A port with a ``descriptor`` is a plain UDP socket: the core reads and writes it without Python."""
        found = getattr(port, "descriptor", None)
        descriptor = found() if found is not None else None
        handle: int = self._core.attach(_optional(descriptor), bool(getattr(port, "gso", False)), port.send)
        self._ports[handle] = port
        if descriptor is not None:
            self._sockets.add(handle)
        return handle

    def detach(self, port: int) -> None:
        self._core.detach(port)
        self._ports.pop(port, None)
        self._sockets.discard(port)

    def port_kind(self, port: int) -> str:
        found = self._ports.get(port)
        return found.kind if found else "udp"

    def add_peer(self, peer: int) -> None:
        self._core.add_peer(peer)

    def set_keys(self, peer: int, keys: SrtpKeys) -> None:
        self._core.set_keys(peer, _PROFILES[keys.profile.name], keys.receive, keys.send)

    def add_path(self, peer: int, path: Path) -> None:
        self._core.add_path(peer, path)

    def drop_path(self, path: Path) -> None:
        self._core.drop_path(path)

    def select_path(self, peer: int, path: Path) -> None:
        self._core.select_path(peer, path)

    def remove_peer(self, peer: int) -> None:
        for stream in self._core.streams_of(peer):
            self._forget(stream)
        for link in self._core.links_of(peer):
            self._links.pop(link, None)
        self._core.remove_peer(peer)

    # --- streams, links ----------------------------------------------------------------------------------------------

    def add_stream(self, stream: int, peer: int, config: StreamConfig) -> None:
        codec, ids = config.codec, config.extensions
        numbers = (ids.mid or 0, ids.rid or 0, ids.repaired_rid or 0, ids.audio_level or 0, ids.transport_cc or 0)
        form = _form(config.kind, codec)
        made = (stream, peer, form, codec.clock_rate, codec.payload_type, _optional(codec.rtx), config.mid)
        self._core.add_stream(*made, config.rid, numbers, config.ssrcs, config.rtx_ssrcs)
        self._streams[stream] = config

    def remove_stream(self, stream: int) -> None:
        self._forget(stream)
        self._core.remove_stream(stream)

    def _forget(self, stream: int) -> None:
        self._streams.pop(stream, None)
        self._sinks.pop(stream, None)
        self._failed.discard(stream)

    def tap(self, stream: int, sink: TrackSink | None) -> None:
        self._core.tap(stream, sink is not None)
        if sink is None:
            self._sinks.pop(stream, None)
        else:
            self._sinks[stream] = sink

    def _on_tap(self, stream: int, packet: bytes, arrival: float) -> None:
        sink = self._sinks.get(stream)
        try:
            if sink is not None:
                sink.on_rtp(packet, arrival)
        except Exception:  # the recorder's fault must not take the picture from the rooms
            if stream not in self._failed:
                log.exception("the recorder of stream %d failed; said once", stream)
            self._failed.add(stream)

    def add_link(self, link: int, peer: int, config: LinkConfig) -> None:
        plain = [c for c in config.codecs if c.mime.lower() != "audio/red"] or list(config.codecs)
        codec, video = plain[0], config.kind == "video"
        bare = head_of(config.extensions, config.mid, audio_level=False)
        level = head_of(config.extensions, config.mid, not video)
        sequence, timestamp = self._random.getrandbits(15), self._random.getrandbits(31)  # RFC 3550 section 5.1
        keeps = video and (config.rtx_ssrc is None or any(c.rtx is None for c in config.codecs))
        made = (link, peer, _form(config.kind, codec), codec.clock_rate, codec.payload_type, _optional(codec.rtx))
        heads = (config.ssrc, _optional(config.rtx_ssrc), bare, level)
        self._core.add_link(*made, *heads, sequence, timestamp, keeps, _red_types(config.codecs, plain))
        self._links[link] = config

    def switch(self, link: int, stream: int | None, *, keep: bool = False, delta: int | None = None) -> bool:
        config = self._links.get(link)
        shown = self._streams.get(stream) if stream is not None else None
        codec = matching(config.codecs, shown.codec) if config and shown else None
        if config is None or codec is None:
            self._core.flush()
            if config is not None and (stream is None or not keep):
                self._core.switch(link, -1, 0, 0, -1, False, -1)
            return config is not None and stream is None
        form = _form(config.kind, codec)
        known = -1 if delta is None else delta & 0xFFFFFFFF
        self._core.switch(link, stream, form, codec.payload_type, _optional(codec.rtx), keep, known)
        return True

    def set_detail(self, link: int, detail: Detail) -> None:
        self._core.set_detail(link, int(detail))

    # --- packets -----------------------------------------------------------------------------------------------------

    def receive(self, data: bytes, path: Path, now: float) -> list[EngineEvent]:
        events: list[EngineEvent] = self._core.receive(data, path, now)
        return events

    def service(self, port: int, now: float) -> list[EngineEvent]:
        events: list[EngineEvent]
        if port in self._sockets:
            events = self._core.service(port, now)
            return events
        source = self._ports.get(port)
        if source is None:
            return []
        core, buffer = self._core, self._buffer
        core.stamp(now)
        for _ in range(_BATCH):
            got = source.receive_into(buffer)
            if got is None:
                break
            arrival = got[2]
            if arrival is None or not now - _BELIEVED < arrival < now + _BELIEVED:
                arrival = now
            core.take(memoryview(buffer)[: got[0]], (port, got[1]), arrival)
        events = core.events()
        return events

    def flush(self) -> None:
        self._core.flush()

    def send(self, path: Path, data: bytes) -> None:
        self._core.send(path, data)

    def send_rtcp(self, peer: int, data: bytes) -> None:
        self._core.send_rtcp(peer, data)

    def resend(self, link: int, sequences: Sequence[int], now: float) -> int:
        done: int = self._core.resend(link, sequences, now)
        return done

    def probe(self, link: int, size: int, now: float) -> int:
        done: int = self._core.probe(link, size, now)
        return done

    def set_redundancy(self, link: int, distance: int) -> None:
        self._core.set_redundancy(link, distance)

    def pace(self, peer: int, bits_per_second: float | None) -> None:
        self._core.pace(peer, 0.0 if bits_per_second is None else max(bits_per_second, 1.0))

    def pump(self, now: float) -> float | None:
        following: float | None = self._core.pump(now)
        return following

    # --- what feedback and statistics need ---------------------------------------------------------------------------

    def missing(self, stream: int, now: float) -> list[int]:
        config = self._streams.get(stream)
        if config is None:
            return []
        numbers: list[int] = self._core.missing(stream, now, config.codec.rtx is not None or config.kind == "video")
        return numbers

    def arrivals(self, peer: int) -> list[tuple[int, float]]:
        return sorted(dict(self._core.arrivals(peer)).items())

    def departures(self, peer: int) -> list[tuple[int, float, int]]:
        left: list[tuple[int, float, int]] = self._core.departures(peer)
        return left

    def loudness(self, stream: int) -> Loudness | None:
        found = self._core.loudness(stream)
        return Loudness(*found) if found else None

    def reception(self, stream: int) -> Reception | None:
        found = self._core.reception(stream)
        return Reception(*found) if found else None

    def sending(self, link: int) -> Sending | None:
        found = self._core.sending(link)
        if found is None:
            return None
        ssrc, packets, octets, stream, offset, started = found
        return Sending(ssrc, packets, octets, None if stream < 0 else stream, offset, started)

    def counters(self, peer: int) -> PeerCounters | None:
        found = self._core.counters(peer)
        return PeerCounters(*found) if found else None
