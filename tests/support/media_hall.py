"""Media tests without a network: an SFU in memory, and browsers as STUN, DTLS and SRTP over a list of datagrams."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from aiortc import RTCCertificate
from OpenSSL import SSL

from media.config import MediaConfig
from media.engine import Address, Engine
from media.parameters import (
    Codec,
    Extensions,
    Fingerprint,
    IceCredentials,
    SlotParameters,
    TrackParameters,
    TransportAnswer,
    TransportParameters,
)
from media.pyengine import PythonEngine
from media.sfu import Sfu
from media.transport.certificate import PROFILES as SRTP_PROFILES
from media.transport.certificate import Certificate
from media.transport.records import datagrams
from media.transport.srtp import PROFILES, Arena, SrtpKeys, SrtpSession, open_session
from media.wire import rtcp, rtp, stun
from media.wire.extensions import build, elements


class Clock:
    """Time for sans-IO tests: moves only by hand."""

    def __init__(self, now: float = 100.0) -> None:
        self.now = now

    def pass_(self, seconds: float) -> float:
        self.now += seconds
        return self.now


class Wire:
    """An engine port that keeps what was sent (sans-IO tests)."""

    kind = "udp"

    def __init__(self) -> None:
        self.sent: list[tuple[Address, bytes]] = []
        self.waiting: list[tuple[bytes, Address]] = []

    def receive_into(self, buffer: bytearray) -> tuple[int, Address, float | None] | None:
        if not self.waiting:
            return None
        data, address = self.waiting.pop(0)
        buffer[: len(data)] = data
        return len(data), address, None

    def send(self, address: Address, data: memoryview, sizes: Sequence[int]) -> None:
        at = 0
        for size in sizes:
            self.sent.append((address, bytes(data[at : at + size])))
            at += size
        assert at == len(data)

    def take(self, address: Address | None = None) -> list[bytes]:
        taken = [d for a, d in self.sent if address in (None, a)]
        self.sent = [(a, d) for a, d in self.sent if address not in (None, a)]
        return taken


def client_context(certificate: RTCCertificate, profiles: bytes = SRTP_PROFILES) -> SSL.Context:
    context = SSL.Context(SSL.DTLS_CLIENT_METHOD)
    context.set_verify(SSL.VERIFY_PEER, lambda *_: True)
    context.use_certificate(certificate._cert)
    context.use_privatekey(certificate._key)
    context.set_tlsext_use_srtp(profiles)
    return context


class DtlsClient:
    """The browser's side of a DTLS handshake."""

    def __init__(
        self,
        profiles: bytes = SRTP_PROFILES,
        ciphers: bytes = b"DEFAULT",
        shared: tuple[RTCCertificate, SSL.Context] | None = None,
    ) -> None:
        """``shared``: one certificate and context for very many clients."""
        if shared is None:
            self.certificate = RTCCertificate.generateCertificate()
            context = client_context(self.certificate, profiles)
            context.set_cipher_list(ciphers)
        else:
            self.certificate, context = shared
        self._ssl = SSL.Connection(context)
        self._ssl.set_connect_state()
        self._ssl.set_ciphertext_mtu(1200)
        self.keys: SrtpKeys | None = None
        self.closed = False

    @property
    def fingerprints(self) -> tuple[Fingerprint, ...]:
        return tuple(Fingerprint(f.algorithm, f.value) for f in self.certificate.getFingerprints())

    def step(self, *received: bytes) -> list[bytes]:
        for datagram in received:
            self._ssl.bio_write(datagram)
        try:
            if self.keys is None:
                self._ssl.do_handshake()
                profile = PROFILES[self._ssl.get_selected_srtp_profile()]
                size = 2 * (profile.key_length + profile.salt_length)
                material = self._ssl.export_keying_material(b"EXTRACTOR-dtls_srtp", size)
                self.keys = SrtpKeys.from_exporter(profile, material).mirrored()
            else:
                self._ssl.recv(2048)
        except SSL.WantReadError:
            pass
        except SSL.ZeroReturnError:
            self.closed = True
        return self.flush()

    def close(self) -> list[bytes]:
        self._ssl.shutdown()
        return self.flush()

    def flush(self) -> list[bytes]:
        try:
            return datagrams(self._ssl.bio_read(65536))
        except SSL.WantReadError:
            return []


class Peer:
    """A browser without a network: talks to a sans-IO ``Sfu`` through a ``Wire``."""

    def __init__(self, sfu: Sfu, wire: Wire, port: int, name: str, address: Address, clock: Clock) -> None:
        self.sfu, self.wire, self.name, self.clock = sfu, wire, name, clock
        self.path = (port, address)
        self.dtls = DtlsClient()
        self.ice = IceCredentials(f"uf{name}", "p" * 24)
        self.line: str | None = None
        self.line_rate: float | None = None
        self.answer: TransportAnswer | None = None
        self._arena = Arena(4096, None)
        self.srtp: SrtpSession | None = None

    def join(self, router: str = "lesson") -> None:
        offer = TransportParameters(self.ice, self.dtls.fingerprints, self.line, self.line_rate)
        self.answer = self.sfu.add_transport(router, self.name, offer, self.clock.now)

    def check(self, nominate: bool = True, *extra: tuple[int, bytes]) -> list[bytes]:
        """One STUN check; the replies."""
        return self.exchange(self.request(nominate, *extra))

    def request(self, nominate: bool = True, *extra: tuple[int, bytes]) -> bytes:
        assert self.answer is not None
        attributes = [
            (stun.USERNAME, f"{self.answer.ice.ufrag}:{self.ice.ufrag}".encode()),
            (stun.PRIORITY, bytes(4)),
            (stun.ICE_CONTROLLING, bytes(8)),
            *extra,
        ]
        attributes += [(stun.USE_CANDIDATE, b"")] if nominate else []
        return stun.build(stun.BINDING_REQUEST, bytes(12), attributes, self.answer.ice.pwd)

    def send(self, data: bytes) -> None:
        self.sfu.receive(data, self.path, self.clock.now)

    def exchange(self, data: bytes) -> list[bytes]:
        """Sends, and takes everything that came back."""
        self.send(data)
        return self.wire.take(self.path[1])

    def shake_hands(self) -> None:
        outgoing = self.dtls.step()
        for _ in range(6):
            replies = [reply for datagram in outgoing for reply in self.exchange(datagram)]
            outgoing = self.dtls.step(*replies)
            if self.dtls.keys is not None and not outgoing:
                break
        assert self.dtls.keys is not None
        self.srtp = open_session(self.dtls.keys, None)

    def connect(self, router: str = "lesson") -> None:
        self.join(router)
        self.check()
        self.shake_hands()

    def protect(self, packet: bytes, rtcp: bool = False) -> bytes:
        assert self.srtp is not None
        self._arena.data[: len(packet)] = packet
        function = self.srtp.protect_rtcp if rtcp else self.srtp.protect
        size = function(self._arena, 0, len(packet))
        return bytes(self._arena.data[:size])

    def send_rtcp(self, packet: bytes) -> None:
        self.send(self.protect(packet, rtcp=True))

    def speak(self) -> None:
        """A report of nothing: it has its keys, as browsers say every second."""
        self.send_rtcp(rtcp.build_receiver_report(rtcp.ReceiverReport(9, ())))

    def receive(self) -> tuple[list[bytes], list[bytes]]:
        """Plain (RTP, RTCP) that the wire holds for this peer."""
        assert self.srtp is not None
        media, control = [], []
        for data in self.wire.take(self.path[1]):
            if data[0] >> 6 == 2:
                (control if 192 <= data[1] <= 223 else media).append(self.open(data))
        return media, control

    def open(self, data: bytes) -> bytes:
        """A datagram of media or RTCP, decrypted."""
        assert self.srtp is not None
        self._arena.data[: len(data)] = data
        function = self.srtp.unprotect_rtcp if 192 <= data[1] <= 223 else self.srtp.unprotect
        size = function(self._arena, len(data))
        assert size, "the server's packet is authentic"
        return bytes(self._arena.data[:size])


class Hall:
    """A sans-IO SFU with its wire and clock, and peers in it."""

    def __init__(self, in_place: bool = True, engine: Engine | None = None, **settings: Any) -> None:
        self.clock, self.wire = Clock(), Wire()
        config = MediaConfig(("192.0.2.1",), 7000, **settings)
        self.sfu = Sfu(config, engine or PythonEngine(in_place), Certificate.generate())
        self.port = self.sfu.engine.attach(self.wire)
        self.sfu.add_router("lesson")
        self._next = 1

    def peer(self, name: str, connect: bool = True) -> Peer:
        self._next += 1
        peer = Peer(self.sfu, self.wire, self.port, name, (f"198.51.100.{self._next}", 5000 + self._next), self.clock)
        if connect:
            peer.connect()
        return peer

    def tick(self, seconds: float = 0.0) -> None:
        self.sfu.tick(self.clock.pass_(seconds))

    def run(self, seconds: float, step: float = 0.02) -> None:
        for _ in range(round(seconds / step)):
            self.tick(step)


# --- ready-made parameters -------------------------------------------------------------------------------------------

VP8 = Codec("video/VP8", 96, 90000, rtx=97)
OPUS = Codec("audio/opus", 111, 48000, 2)
# A publisher's and a subscriber's extension ids differ, as browsers' do.
PUB_IDS = Extensions(mid=4, rid=10, repaired_rid=11, audio_level=1, abs_send_time=2, transport_cc=3)
SUB_IDS = Extensions(mid=9, audio_level=6, abs_send_time=7, transport_cc=8)
VIDEO_SSRC, RTX_SSRC, AUDIO_SSRC = 0x1111, 0x2222, 0x3333
KEY, INTER = b"\x10\x00key", b"\x10\x01inter"


def camera(**changes: Any) -> TrackParameters:
    made = TrackParameters("1", "video", "camera", VP8, PUB_IDS, (VIDEO_SSRC,), (RTX_SSRC,))
    return replace(made, **changes)


def mic(**changes: Any) -> TrackParameters:
    return replace(TrackParameters("0", "audio", "mic", OPUS, PUB_IDS, (AUDIO_SSRC,)), **changes)


def video_slot(mid: str = "v", **changes: Any) -> SlotParameters:
    codecs = (Codec("video/VP8", 120, 90000, rtx=121),)
    return replace(SlotParameters(mid, "video", codecs, SUB_IDS, 0x5555, 0x6666), **changes)


def audio_slot(mid: str = "a", **changes: Any) -> SlotParameters:
    return replace(SlotParameters(mid, "audio", (replace(OPUS, payload_type=63),), SUB_IDS, 0x7777, None), **changes)


def values_of(packet: bytes) -> dict[int, bytes]:
    """Header extension values by id."""
    head = rtp.parse(packet)
    block = elements(packet, head.profile, head.extension_at, head.extension_end)
    return {i: packet[at : at + size] for i, at, size in block}


def body_of(packet: bytes) -> bytes:
    head = rtp.parse(packet)
    return packet[head.payload_at : head.payload_end]


class Publisher:
    """Numbers a peer's packets; ``wide`` is its transport-wide counter."""

    def __init__(self, peer: Peer, ssrc: int = VIDEO_SSRC, payload_type: int = 96, sequence: int = 65530) -> None:
        self.peer, self.ssrc, self.payload_type, self.sequence = peer, ssrc, payload_type, sequence
        self.wide = 0
        self.timestamp = 1000

    def packet(self, payload: bytes, marker: bool = True, *more: tuple[int, bytes]) -> bytes:
        self.sequence = self.sequence + 1 & 0xFFFF
        self.wide += 1
        self.timestamp += 3000
        block = build([(3, (self.wide & 0xFFFF).to_bytes(2, "big")), *more])
        return rtp.build(self.payload_type, self.sequence, self.timestamp, self.ssrc, payload, marker, block)

    def send(self, payload: bytes = INTER, marker: bool = True, *more: tuple[int, bytes]) -> bytes:
        made = self.packet(payload, marker, *more)
        self.peer.send(self.peer.protect(made))
        return made

    def rtx(self, original: bytes) -> None:
        """Sends ``original`` again as RFC 4588 does."""
        head = rtp.parse(original)
        self.wide += 1
        block = build([(3, (self.wide & 0xFFFF).to_bytes(2, "big"))])
        payload = original[2:4] + original[head.payload_at : head.payload_end]
        made = rtp.build(97, self.wide, head.timestamp, RTX_SSRC, payload, head.marker, block)
        self.peer.send(self.peer.protect(made))


# RTCP type and format, as ``Lesson.asked`` takes them
PLI, NACK, TWCC = 20601, 20501, 20515


class Lesson:
    """A teacher with camera and microphone, a room with a slot for each."""

    def __init__(self, hall: Hall, route: bool = True) -> None:
        self.hall, self.sfu = hall, hall.sfu
        self.teacher, self.room = hall.peer("teacher"), hall.peer("room")
        self.sfu.publish("teacher", "camera", camera(), hall.clock.now)
        self.sfu.publish("teacher", "mic", mic(), hall.clock.now)
        self.sfu.add_slot("room", video_slot())
        self.sfu.add_slot("room", audio_slot())
        self.video = Publisher(self.teacher)
        self.audio = Publisher(self.teacher, AUDIO_SSRC, 111, 7)
        if route:
            self.sfu.route("room", "v", "camera", hall.clock.now)
            self.sfu.route("room", "a", "mic", hall.clock.now)

    def asked(self, peer: Peer, kind: int) -> list[rtcp.Packet]:
        """RTCP packets of this format that the peer got."""
        return [p for c in peer.receive()[1] for p in rtcp.split(c) if (p.type, p.count) == divmod(kind, 100)]
