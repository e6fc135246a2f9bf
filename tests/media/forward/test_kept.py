"""A camera that hears no request for key frames: who joins between two sees the last, and nobody else notices."""

from __future__ import annotations

from random import Random

import pytest

from media.cengine import CEngine, find_native
from media.engine import Engine
from media.forward.kept import MOST_BYTES, OLDEST, KeptPicture
from media.pyengine import PythonEngine
from media.transport.srtp import open_session
from media.wire import feedback, rtp
from tests.media.forward.test_taps import Sink
from tests.support.media_hall import INTER, VIDEO_SSRC, Hall, Peer, Publisher, body_of, camera, video_slot

START, REST, END = b"\x10\x00first", b"\x00\x00second", b"\x00\x00third"
PICTURE = [START, REST, END]


NATIVE = find_native()
TWINS = ["python", pytest.param("c", marks=pytest.mark.skipif(NATIVE is None, reason="the C twin is not built here"))]


@pytest.fixture(params=TWINS)
def hall(request: pytest.FixtureRequest) -> Hall:
    engine: Engine = CEngine(NATIVE, Random(1)) if request.param == "c" else PythonEngine()
    return Hall(engine=engine)


class Room:
    """A fetched camera, and who sees it."""

    def __init__(self, hall: Hall) -> None:
        self.hall, self.sfu = hall, hall.sfu
        camera_peer = hall.peer("camera")
        self.sfu.publish("camera", "camera", camera(deaf=True), hall.clock.now)
        self.video = Publisher(camera_peer)

    def key_frame(self) -> None:
        for payload in PICTURE:
            self.send(payload, payload is END, payload is START)

    def send(self, payload: bytes = INTER, marker: bool = True, new: bool = True) -> None:
        before = self.video.timestamp
        made = self.video.packet(payload, marker)
        if not new:
            self.video.timestamp = before
            made = made[:4] + before.to_bytes(4, "big") + made[8:]
        self.video.peer.send(self.video.peer.protect(made))

    def joiner(self, name: str) -> Peer:
        peer = self.hall.peer(name)
        self.sfu.add_slot(name, video_slot())
        self.sfu.route(name, "v", "camera", self.hall.clock.now)
        peer.speak()
        return peer


def seen(peer: Peer) -> list[bytes]:
    return [body_of(packet) for packet in peer.receive()[0]]


def test_who_joins_sees_the_last_key_frame_and_goes_on_at_the_next(hall: Hall) -> None:
    room = Room(hall)
    first = room.joiner("first")
    room.key_frame()
    for _ in range(3):
        hall.run(1.0, 0.1)
        room.send()
    assert seen(first) == [*PICTURE, INTER, INTER, INTER]
    late = room.joiner("late")
    packets = late.receive()[0]
    assert [body_of(packet) for packet in packets] == PICTURE, "at once"
    room.send()
    assert seen(late) == [], "what refers to pictures it never had"
    assert seen(first) == [INTER], "nothing of that is anybody else's"
    hall.run(2.0, 0.1)
    room.key_frame()
    room.send()
    packets += late.receive()[0]
    assert [body_of(packet) for packet in packets] == [*PICTURE, *PICTURE, INTER]
    heads = [rtp.parse(packet) for packet in packets]
    assert [head.sequence - heads[0].sequence & 0xFFFF for head in heads] == list(range(7)), "one stream without a seam"
    stamps = [head.timestamp - heads[0].timestamp & 0xFFFFFFFF for head in heads]
    assert stamps[:3] == [0, 0, 0] and stamps[3] == stamps[5] < stamps[6]
    assert 150_000 < stamps[3] < 250_000, "two seconds"
    assert [head.marker for head in heads] == [False, False, True, False, False, True, True]
    assert {head.ssrc for head in heads} == {0x5555}


def test_what_got_lost_of_it_is_sent_again_and_all_of_it_to_who_cannot_decode(hall: Hall) -> None:
    room = Room(hall)
    room.key_frame()
    late = room.joiner("late")
    lost = late.receive()[0][1]
    late.send_rtcp(feedback.build_nack(9, 0x5555, [rtp.parse(lost).sequence]))
    (again,) = late.receive()[0]
    assert body_of(again) == lost[2:4] + REST, "as RTX"
    late.send_rtcp(feedback.build_pli(9, 0x5555))
    assert seen(late) == [], "not twice a second"
    hall.run(1.1, 0.1)
    late.send_rtcp(feedback.build_pli(9, 0x5555))
    assert seen(late) == PICTURE


def test_one_who_connects_after_being_routed(hall: Hall) -> None:
    room = Room(hall)
    room.key_frame()
    peer = hall.peer("slow", connect=False)
    peer.join()
    room.sfu.add_slot("slow", video_slot())
    room.sfu.route("slow", "v", "camera", hall.clock.now)
    peer.check()
    outgoing, came = peer.dtls.step(), []
    while outgoing:
        came += [reply for datagram in outgoing for reply in peer.exchange(datagram)]
        outgoing = peer.dtls.step(*(reply for reply in came if reply[0] >> 6 == 0))
        media, came = [reply for reply in came if reply[0] >> 6 == 2], []
    assert peer.dtls.keys is not None
    peer.srtp = open_session(peer.dtls.keys, None)
    assert [body_of(peer.open(packet)) for packet in media] == PICTURE, "right behind the handshake"


def test_a_picture_of_long_ago_is_none(hall: Hall) -> None:
    room = Room(hall)
    room.key_frame()
    for _ in range(round(OLDEST) + 1):
        hall.run(1.0, 0.2)
        room.video.peer.check()  # it lives
        room.send()
    assert seen(room.joiner("late")) == []


def test_the_recorder_hears_the_same_and_a_camera_that_leaves_takes_its_picture_along(hall: Hall) -> None:
    room, sink = Room(hall), Sink()
    room.sfu.record("camera", sink)
    room.key_frame()
    room.send()
    assert [begins for _, begins, _ in sink.packets] == [True, False, False, False]
    late = room.joiner("late")
    assert seen(late) == PICTURE and len(sink.packets) == 4
    room.sfu.record("camera", None)
    room.send()
    assert len(sink.packets) == 4
    room.sfu.unpublish("camera", hall.clock.now)
    room.sfu.publish("camera", "camera", camera(deaf=True), hall.clock.now)
    room.sfu.route("late", "v", "camera", hall.clock.now)
    assert seen(late) == []
    room.key_frame()
    assert seen(late) == PICTURE
    assert seen(room.joiner("later")) == PICTURE


# --- which packets are a picture -------------------------------------------------------------------------------------


def kept(*packets: tuple[int, int, bytes, bool], at: float = 0.0) -> list[bytes]:
    """(number, timestamp, payload, marker)"""
    picture = KeptPicture(PythonEngine(), "video/VP8")
    for number, stamp, payload, marker in packets:
        picture.on_rtp(rtp.build(96, number, stamp, VIDEO_SSRC, payload, marker), 0.0)
    return picture.payloads(at)


def test_a_picture_is_kept_when_it_is_whole() -> None:
    whole = [(65535, 9, START, False), (0, 9, REST, False), (1, 9, END, True)]
    assert kept(*whole) == PICTURE
    assert kept(whole[0], whole[2], whole[1]) == PICTURE, "repaired: late"
    assert kept(whole[0], whole[2]) == []
    assert kept(*whole[:2]) == []
    assert kept(*whole, (2, 99, INTER, True)) == PICTURE
    newer = [(2, 50, INTER, True), (3, 99, START, False), (4, 99, START, True)]
    assert kept(*whole, *newer) == [START, START], "the newer one"
    assert kept(*whole, *newer[:2]) == PICTURE, "until that is whole"
    assert kept(*whole, newer[0], newer[2]) == PICTURE, "a slice that looks like a start, but is not the first"
    assert kept(*whole, newer[0], newer[2], newer[1]) == [START, START]
    assert kept(*whole, *newer[1:]) == PICTURE, "was that its start?"
    assert kept(*whole, *newer[1:], newer[0]) == [START, START]
    assert kept((3, 9, INTER, True)) == []
    assert kept(*whole, at=OLDEST + 1) == []


def test_nobody_makes_us_keep_more_than_a_picture() -> None:
    many = [(n, 9, START + bytes(1200), False) for n in range(MOST_BYTES // 1200 + 2)]
    assert kept(*many, (len(many), 9, END, True)) == []
