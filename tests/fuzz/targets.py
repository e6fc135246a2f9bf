"""The table: what reads strangers' bytes, real packets to bend, and what it may raise."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from media.errors import PeerError
from media.parameters import Codec, Fingerprint
from media.record.depacketize import depacketizer
from media.record.jitter import Packet
from media.transport import records
from media.transport.certificate import Certificate
from media.transport.dtls import DtlsServer, DtlsState
from media.wire import demux, extensions, feedback, framing, h264, opus, red, rtcp, rtp, stun, vp8
from signaling.negotiation import plan_pub, plan_sub
from signaling.sdp import fragment
from signaling.sdp.model import SdpError
from tests.support.media_hall import DtlsClient, Hall, Lesson, audio_slot, camera, mic, video_slot
from tests.support.offers import NAMES, offer

Feed = Callable[[bytes], None]


@dataclass(frozen=True)
class Target:
    """``make`` gives a fresh reader; after ``renew`` cases another is made (stateful ones would wear out)."""

    name: str
    seeds: tuple[bytes, ...]
    make: Callable[[], Feed]
    refuses: tuple[type[Exception], ...] = ()
    renew: int = 1_000_000
    share: float = 1.0
    """Of the cases asked for: rows that build whole peers take fewer."""


def _pure(*readers: Callable[[bytes], object]) -> Callable[[], Feed]:
    def feed(data: bytes) -> None:
        for reader in readers:
            reader(data)

    return lambda: feed


# --- STUN, DTLS ------------------------------------------------------------------------------------------------------

_PASSWORD = "p" * 32


def _check(*more: tuple[int, bytes]) -> bytes:
    user = (stun.USERNAME, b"0123456789ab:abcd")
    attributes = [user, (0xC057, b"\0\0\0\x0a"), (stun.ICE_CONTROLLING, bytes(8)), *more, (stun.PRIORITY, bytes(4))]
    return stun.build(stun.BINDING_REQUEST, bytes(range(12)), attributes, _PASSWORD)


_ROUTINE = stun.Routine(stun.parse(_check()), (1, ("192.0.2.1", 9)), _PASSWORD)


def _stun(data: bytes) -> None:
    """As it came, and with the length put right and no FINGERPRINT, which would hide everything behind it."""
    with contextlib.suppress(PeerError):
        _one_stun(data)
    body = data[20:-8] + bytes(-len(data[20:-8]) % 4)
    _one_stun(data[:2] + len(body).to_bytes(2, "big") + data[4:20] + body)


def _one_stun(data: bytes) -> None:
    message = stun.parse(data)
    _ = (message.username, message.unknown_required, stun.verify(message, _PASSWORD))
    stun.success(message.transaction, "192.0.2.1", 9, _PASSWORD)
    if message.integrity_at is not None:
        stun.Routine(message, (1, ("192.0.2.1", 9)), _PASSWORD).answer(data)
    _ROUTINE.answer(data)


_OURS = Certificate.generate()
_ALERTS = records.AlertKeys.derive(b"m" * 48, b"c" * 32, b"s" * 32)


def _handshake() -> tuple[bytes, ...]:
    """Every datagram a client sends in a handshake, and its goodbye."""
    client, sent = DtlsClient(), []
    server = DtlsServer(_OURS, client.fingerprints)
    outgoing = client.step()
    while outgoing:
        sent += outgoing
        outgoing = client.step(*[reply for datagram in outgoing for reply in server.receive(datagram)])
    return (*sent, *client.close())


def _dtls() -> Feed:
    """In the middle of a handshake: a good ClientHello came, what follows is bent."""
    server = DtlsServer(_OURS, (Fingerprint("sha-256", ":".join(["AB"] * 32)),))
    for datagram in DtlsClient().step():
        server.receive(datagram)

    def feed(data: bytes) -> None:
        server.receive(data)
        server.tick()
        assert server.state is not DtlsState.CONNECTED, "nobody has that certificate"

    return feed


def _dtls_connected() -> Feed:
    client = DtlsClient()
    server = DtlsServer(_OURS, client.fingerprints)
    outgoing = client.step()
    while outgoing:
        outgoing = client.step(*[reply for datagram in outgoing for reply in server.receive(datagram)])

    def feed(data: bytes) -> None:
        server.receive(data)
        assert server.state is DtlsState.CONNECTED, "a forged record ends nothing"

    return feed


# --- RTP, RTCP -------------------------------------------------------------------------------------------------------

_BLOCK = extensions.build([(2, bytes(3)), (3, b"\0\7"), (4, b"1"), (10, b"hi"), (1, b"\x87")])
_WIDE = extensions.build([(3, b"\0\7"), (200, bytes(20))])
_RTP = (
    rtp.build(96, 7, 90_000, 0x1111, b"\x90\xe0\x81\x02\x10\x40\x10\x00" + bytes(60), True, _BLOCK),
    rtp.build(111, 7, 960, 0x3333, bytes(80), False, _WIDE),
    rtp.build(97, 7, 90_000, 0x2222, b"\0\7" + bytes(30)),
    b"\xb2\x60" + bytes(30) + b"\4",
)


def _rtp(data: bytes) -> None:
    header = rtp.parse(data)
    assert 12 <= header.payload_at <= header.payload_end <= len(data)
    for _, at, size in extensions.elements(data, header.profile, header.extension_at, header.extension_end):
        assert header.extension_at <= at <= at + size <= header.extension_end


def _elements(data: bytes) -> None:
    if len(data) >= 4:
        profile = int.from_bytes(data[:2], "big")
        assert all(at + size <= len(data) for _, at, size in extensions.elements(data, profile, 4, len(data)))


_BLOCKS = (rtcp.ReportBlock(1, 3, 7, 9, 2, 5, 6), rtcp.ReportBlock(3, 0, 0, 1, 2, 3, 4))
_RTCP = (
    rtcp.build_receiver_report(rtcp.ReceiverReport(9, _BLOCKS)) + rtcp.build_cname(9, "someone"),
    rtcp.build_sender_report(rtcp.SenderReport(9, 1 << 60, 90_000, 7, 700, _BLOCKS)) + rtcp.build_cname(9, "x"),
    feedback.build_nack(1, 2, [3, 4, 9, 40]) + feedback.build_pli(1, 2),
    feedback.build_transport_cc(1, 2, 3, [(n, n / 100) for n in range(5, 60, 2)]),
    rtcp.build(rtcp.PSFB, 15, bytes(8) + b"REMB\x01\x0a\x00\x00" + bytes(4)),
    rtcp.build(rtcp.PSFB, 4, bytes(8) + b"\0\0\0\x07\x01\0\0\0"),
)


def _rtcp(data: bytes) -> None:
    for packet in rtcp.split(data):
        rtcp.sender_report(packet)
        rtcp.receiver_report(packet)
        feedback.nacked(packet)
        feedback.key_frames_wanted(packet)
        feedback.remb(packet)
        feedback.transport_cc(packet)


# --- codecs ----------------------------------------------------------------------------------------------------------

_SPS = bytes.fromhex("6742c01fda014016ec0440000003004000000c83c60ca8")
_VP8 = (
    b"\x90\xe0\x81\x02\x10\x40" + b"\x10\x02\x00\x9d\x01\x2a\x80\x02\x68\x01" + bytes(40),
    b"\x10\x00\x9d\x01\x2a\x80\x02\x68\x01",
)
_H264 = (
    b"\x78" + len(_SPS).to_bytes(2, "big") + _SPS + b"\0\x04\x68\xce\x3c\x80",
    b"\x7c\x85" + bytes(50),
    b"\x7c\x45" + bytes(50),
    b"\x65\x88" + bytes(50),
    _SPS,
)


def _recorded(codec: Codec) -> Callable[[], Feed]:
    """As the recorder reads it: packet after packet of one stream."""

    def make() -> Feed:
        reader, count = depacketizer(codec), [0]

        def feed(data: bytes) -> None:
            count[0] += 1
            reader.push(Packet(count[0], count[0] // 3 * 3000, count[0] % 3 == 0, data, count[0] / 100))

        return feed

    return make


def _red(data: bytes) -> None:
    assert sum(len(block.payload) for block in red.parse(data)) <= len(data)


# --- frames, SDP -----------------------------------------------------------------------------------------------------


def _frames() -> Feed:
    reader = framing.Deframer()

    def feed(data: bytes) -> None:
        assert all(len(packet) <= framing.MAX_FRAME for packet in reader.feed(data))

    return feed


def _sdp(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    for plan in (lambda: plan_sub(text, "watch", 100, None), lambda: plan_pub(text, {}, "teacher", "t", None)):
        try:
            plan()
        except SdpError:
            continue


def _fragment(data: bytes) -> None:
    found = fragment.read(data.decode("utf-8", "replace"))
    assert found.ice is None or "\n" not in found.ice.ufrag + found.ice.pwd


_CREDENTIALS = b"a=ice-ufrag:again\r\na=ice-pwd:" + b"p" * 24 + b"\r\n"
_TRICKLED = b"a=mid:0\r\na=candidate:1 1 udp 2130706431 192.0.2.1 50000 typ host\r\na=end-of-candidates\r\n"


# --- whole datagrams, with and without keys --------------------------------------------------------------------------


def _datagrams(engine: str, keys: bool) -> Callable[[], Feed]:
    def make() -> Feed:
        hall = _hall(engine)
        lesson = Lesson(hall)
        villain = hall.peer("villain")
        hall.sfu.publish("villain", "bad", camera(), hall.clock.now)
        hall.sfu.publish("villain", "worse", mic(), hall.clock.now)
        hall.sfu.add_slot("villain", video_slot())
        hall.sfu.add_slot("villain", audio_slot())
        hall.sfu.route("villain", "v", "camera", hall.clock.now)
        hall.sfu.route("room", "a", "worse", hall.clock.now)

        def feed(data: bytes) -> None:
            if keys and 12 <= len(data) <= 1300:
                protected = villain.protect(data, rtcp=192 <= data[1] <= 223)
                villain.send(protected or data)
            else:
                hall.sfu.receive(data, villain.path, hall.clock.now)
                hall.sfu.receive(data, (hall.port, ("203.0.113.9", 9)), hall.clock.now)
            hall.tick(0.01)
            hall.wire.sent.clear()
            assert hall.sfu.known(lesson.teacher.path)

        return feed

    return make


def _hall(engine: str) -> Hall:
    if engine == "python":
        return Hall()
    from tests.support.joining import make_engine

    return Hall(engine=make_engine("native"))


def targets(native: bool) -> Sequence[Target]:
    """``native``: with rows for the C engine."""
    h264_codec = Codec("video/H264", 102, 90000, fmtp="packetization-mode=1")
    refusal: Any = (PeerError,)
    everything = (*_RTP, *_RTCP, _check(), b"\x16\xfe\xfd" + bytes(40))
    rows = [
        Target("demux", everything, _pure(demux.classify)),
        Target("stun", (_check(), _check((stun.USE_CANDIDATE, b"")), _check((0x7777, b"?"))), _pure(_stun), refusal),
        Target("stun ufrag", (_check(), _check((stun.USE_CANDIDATE, b""))), _pure(stun.local_ufrag)),
        Target(
            "dtls records", (_ALERTS.goodbye(), *_handshake()), _pure(_ALERTS.ends, records.datagrams, records.opens)
        ),
        Target("dtls handshake", _handshake(), _dtls, renew=8, share=0.25),
        Target("dtls connected", (_ALERTS.goodbye(), *_handshake()), _dtls_connected, renew=500),
        Target("rtp", _RTP, _pure(_rtp), refusal),
        Target("extensions", (_BLOCK, _WIDE), _pure(_elements)),
        Target("rtcp", _RTCP, _pure(_rtcp)),
        Target("vp8", _VP8, _pure(vp8.starts_key_frame, vp8.parse_descriptor), refusal),
        Target("vp8 recorded", _VP8, _recorded(Codec("video/VP8", 96, 90000)), renew=500),
        Target("h264", _H264, _pure(h264.starts_key_frame)),
        Target("h264 recorded", _H264, _recorded(h264_codec), renew=500),
        Target("opus", (b"\x78" + bytes(60), b"\x7b\x03" + bytes(60)), _pure(opus.samples), refusal),
        Target("red", (red.build(111, bytes(60), [(960, bytes(50)), (1920, bytes(40))]),), _pure(_red), refusal),
        Target("rfc 4571", (framing.frame(bytes(50)) * 3, framing.frame(_check())), _frames, refusal, renew=20),
        Target("sdpfrag", (_CREDENTIALS + _TRICKLED, _TRICKLED, _CREDENTIALS), _pure(_fragment), (SdpError,)),
        Target("sdp", tuple(offer(name).encode() for name in NAMES), _pure(_sdp), share=0.25),
    ]
    for engine in ("python", "native") if native else ("python",):
        rows.append(Target(f"datagrams, {engine}", everything, _datagrams(engine, False), renew=400, share=0.25))
        rows.append(Target(f"with keys, {engine}", everything, _datagrams(engine, True), renew=400, share=0.25))
    return rows
