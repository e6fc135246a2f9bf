"""A lesson with weather, without a network: a teacher who sends three layers, rooms behind lines of ``weather.Line``.

The teacher's encoder answers PLI, pauses layers on ``LayersWanted`` and sends thin sound on ``AudioBudget``, as the
page does; a room answers with transport-cc, as Chromium does. Time moves in steps of 5 ms.
"""

from __future__ import annotations

import heapq
import itertools
import math
import struct
from dataclasses import dataclass, field
from random import Random

from media.parameters import AudioBudget, LayersWanted, MediaEvent, SlotQuality
from media.wire import feedback, rtcp, rtp
from media.wire.extensions import build
from media.wire.sequence import FIRST_CYCLE, extend
from tests.support.media_hall import (
    AUDIO_SSRC,
    PUB_IDS,
    SUB_IDS,
    Hall,
    Peer,
    audio_slot,
    body_of,
    camera,
    mic,
    values_of,
    video_slot,
)
from tests.support.weather import Line

STEP = 0.005
RIDS = ("q", "h", "f")
RATES = {"q": 150_000, "h": 500_000, "f": 2_000_000}
WIDTHS = {"q": 320, "h": 640, "f": 1280}
FRAMES_A_SECOND = 20
VOICE, QUIET = 16, 70  # -dBov
KEY_SIZE = 5  # a key frame is so many times an ordinary one
FLOOR_SSRC = 0x7800
_PACKET = 1100
_NTP = 3_900_000_000.0  # the teacher's clock is his own


@dataclass
class Encoder:
    """One layer."""

    rid: str
    ssrc: int
    base: int  # of its timestamps
    active: bool = True
    wants_key: bool = True
    sequence: int = 100
    picture: int = 0
    due: float = 0.0
    packets: int = 0


@dataclass
class Microphone:
    """``level`` in -dBov, what the peer's packets say of it."""

    peer: Peer
    ssrc: int
    level: int = VOICE


class Village:
    """``run`` seconds; then ask the rooms what they got."""

    def __init__(
        self,
        *lines: Line,
        seed: int = 1,
        shared: str | None = None,
        layers: bool = True,
        floor: int = 0,
        measured: float | None = None,
    ) -> None:
        self.measured = measured
        self.hall = Hall()
        self.sfu = self.hall.sfu
        self.random = Random(seed)
        self.teacher = self.hall.peer("teacher")
        rids = RIDS if layers else ()
        ids = {"ssrcs": (), "rtx_ssrcs": ()} if layers else {"ssrcs": (0x1000,), "rtx_ssrcs": ()}
        self.sfu.publish("teacher", "camera", camera(rids=rids, **ids), self.hall.clock.now)
        self.sfu.publish("teacher", "mic", mic(), self.hall.clock.now)
        names = RIDS if layers else ("f",)
        self.encoders = [Encoder(rid, 0x1000 + i, self.random.getrandbits(32)) for i, rid in enumerate(names)]
        self.thin = (32_000, 20)
        self.mics = [Microphone(self.teacher, AUDIO_SSRC)]
        for i in range(floor):
            self.mics.append(Microphone(self.hall.peer(f"floor{i}"), 0x3400 + i, level=QUIET))
            self.sfu.publish(f"floor{i}", f"mic{i}", mic(ssrcs=(0x3400 + i,)), self.now)
        self._sound_due = self.now
        self._sound_sequence = 0
        self.rooms = [Room(self, f"room{i}", line, shared) for i, line in enumerate(lines)]
        self.events: list[tuple[float, MediaEvent]] = []
        self._reports = self.now

    @property
    def now(self) -> float:
        return self.hall.clock.now

    @property
    def room(self) -> Room:
        return self.rooms[0]

    def run(self, seconds: float) -> Village:
        for _ in range(round(seconds / STEP)):
            self.hall.tick(STEP)
            self._teach()
            self.hall.sfu.tick(self.now)
            for room in self.rooms:
                room.live()
            self._obey()
        return self

    def room_again(self, line: Line) -> Room:
        """A room of the school comes back, as another participant."""
        self.rooms.append(Room(self, f"again{len(self.rooms)}", line, "school"))
        return self.rooms[-1]

    # --- the teacher's browser ---------------------------------------------------------------------------------------

    def _teach(self) -> None:
        for encoder in self.encoders:
            if encoder.active and self.now >= encoder.due:
                encoder.due = max(encoder.due + 1 / FRAMES_A_SECOND, self.now)
                self._frame(encoder)
        if self.now >= self._sound_due:
            self._sound_due += self.thin[1] / 1000
            self._sound()
        if self.now >= self._reports:
            self._reports += 1.0
            for one in self.mics:
                one.peer.check()
            self._sender_reports()

    def _frame(self, encoder: Encoder) -> None:
        key, encoder.wants_key = encoder.wants_key, False
        size = RATES[encoder.rid] / 8 / FRAMES_A_SECOND * (KEY_SIZE if key else 1) * self.random.uniform(0.7, 1.2)
        count = math.ceil(size / _PACKET)
        stamp = encoder.base + round(self.now * 90000) & 0xFFFFFFFF
        encoder.picture += 1
        for i in range(count):
            # RFC 6386 section 9.1: three bytes of tag, and for a key frame its start code and size
            width = WIDTHS[encoder.rid]
            start = b"\x9d\x01\x2a" + struct.pack("<HH", width, width * 9 // 16) if key else bytes(7)
            head = bytes([0x10 if i == 0 else 0x00, 0x00 if key else 0x01, 0, 0]) + start
            body = head + encoder.rid.encode() + encoder.picture.to_bytes(4, "big") + bytes(round(size / count))
            encoder.sequence = encoder.sequence + 1 & 0xFFFF
            encoder.packets += 1
            values = [(PUB_IDS.mid or 0, b"1"), (PUB_IDS.rid or 0, encoder.rid.encode())]
            packet = rtp.build(96, encoder.sequence, stamp, encoder.ssrc, body, i == count - 1, build(values))
            self.teacher.send(self.teacher.protect(packet))

    def _sound(self) -> None:
        self._sound_sequence = self._sound_sequence + 1 & 0xFFFF
        body = bytes(self.thin[0] * self.thin[1] // 8000)
        stamp = round(self.now * 48000) & 0xFFFFFFFF
        for one in self.mics:
            level = build([(1, bytes([one.level]))])
            packet = rtp.build(111, self._sound_sequence, stamp, one.ssrc, body, False, level)
            one.peer.send(one.peer.protect(packet))

    def _sender_reports(self) -> None:
        for encoder in self.encoders:
            stamp = encoder.base + round(self.now * 90000) & 0xFFFFFFFF
            report = rtcp.SenderReport(encoder.ssrc, rtcp.to_ntp(_NTP + self.now), stamp, 1, 1)
            self.teacher.send_rtcp(rtcp.build_sender_report(report))

    def _obey(self) -> None:
        for compound in self.teacher.receive()[1]:
            for packet in rtcp.split(compound):
                if feedback.key_frames_wanted(packet):
                    for encoder in self.encoders:
                        encoder.wants_key = True  # a browser makes one on every layer
        for event in self.sfu.events():
            self.events.append((self.now, event))
            if isinstance(event, LayersWanted):
                for encoder in self.encoders:
                    wanted = encoder.rid in event.rids
                    encoder.wants_key = encoder.wants_key or (wanted and not encoder.active)
                    encoder.active = wanted
            elif isinstance(event, AudioBudget):
                self.thin = (event.bitrate, event.ptime_ms)


@dataclass
class Seen:
    """A packet that a room got."""

    at: float
    rid: str
    picture: int
    sequence: int
    timestamp: int
    key: bool


@dataclass
class Room:
    """A receiving room; ``pictures`` in order of arrival, ``sounds`` their arrival times."""

    village: Village
    name: str
    line: Line
    shared: str | None = None
    peer: Peer = field(init=False)
    pictures: list[Seen] = field(default_factory=list)
    sounds: list[float] = field(default_factory=list)
    sound_sequences: set[int] = field(default_factory=set)
    voices: list[list[float]] = field(default_factory=list)  # arrival times of each on the floor

    def __post_init__(self) -> None:
        sfu, hall = self.village.sfu, self.village.hall
        self.peer = hall.peer(self.name, connect=False)
        if self.shared is not None:  # one router at the school's door
            self.peer.line, (port, (_, number)) = self.shared, self.peer.path
            self.peer.line_rate = self.village.measured
            self.peer.path = (port, ("203.0.113.7", number))
        self.peer.connect()
        sfu.add_slot(self.name, video_slot())
        sfu.add_slot(self.name, audio_slot())
        sfu.route(self.name, "v", "camera", self.village.now)
        sfu.route(self.name, "a", "mic", self.village.now)
        for i in range(len(self.village.mics) - 1):
            self.voices.append([])
            sfu.add_slot(self.name, audio_slot(f"a{i}", ssrc=FLOOR_SSRC + i))
            sfu.route(self.name, f"a{i}", f"mic{i}", self.village.now)
        self._order = itertools.count()
        self._coming: list[tuple[float, int, bytes]] = []
        self._back: list[tuple[float, int, bytes]] = []
        self._arrived: dict[int, float] = {}
        self._reported = FIRST_CYCLE  # extended transport-wide number
        self._feedback_due = 0.0
        self._feedbacks = 0
        self._report_due = 0.0
        self._sound_last = (0, 0)  # (expected, received) at the last report

    def live(self) -> None:
        now = self.village.now
        replies = self.peer.check() if now >= self._report_due else []
        for data in replies + self.village.hall.wire.take(self.peer.path[1]):
            arrival = self.line.carry(len(data), now)
            if arrival is not None:
                heapq.heappush(self._coming, (arrival, next(self._order), data))
        while self._coming and self._coming[0][0] <= now:
            at, _, data = heapq.heappop(self._coming)
            if data[0] >> 6 == 2 and not 192 <= data[1] <= 223:
                self._take(self.peer.open(data), at)
        if now >= self._feedback_due and self._arrived:
            self._feedback_due = now + 0.1
            self._answer(now)
        while self._back and self._back[0][0] <= now:
            self.peer.send_rtcp(heapq.heappop(self._back)[2])
        if now >= self._report_due:
            self._report_due = now + 1.0
            self._report(now)

    def _take(self, packet: bytes, at: float) -> None:
        head = rtp.parse(packet)
        wide = int.from_bytes(values_of(packet)[SUB_IDS.transport_cc or 0], "big")
        self._arrived[extend(wide, self._reported)] = at
        body = body_of(packet)
        if head.ssrc == 0x7777:
            self.sounds.append(at)
            self.sound_sequences.add(head.sequence)
        elif 0 <= head.ssrc - FLOOR_SSRC < len(self.voices):
            self.voices[head.ssrc - FLOOR_SSRC].append(at)
        elif head.ssrc == 0x5555:
            rid, picture = chr(body[11]), int.from_bytes(body[12:16], "big")
            self.pictures.append(Seen(at, rid, picture, head.sequence, head.timestamp, not body[1] & 1))

    def _answer(self, now: float) -> None:
        """All numbers since the last message, those before the first that arrived too."""
        newest = max(self._arrived)
        rows = [(n, self._arrived.get(n)) for n in range(self._reported + 1, newest + 1)]
        self._arrived = {n: at for n, at in self._arrived.items() if n > newest}
        if rows:
            self._reported, self._feedbacks = newest, self._feedbacks + 1
            made = transport_cc(rows, self._feedbacks)
            heapq.heappush(self._back, (now + self.line.weather(now).delay, next(self._order), made))

    def _report(self, now: float) -> None:
        """What it heard and lost of the sound."""
        if not self.sound_sequences:
            return
        numbers = sorted(self.sound_sequences)
        expected, received = numbers[-1] - numbers[0] + 1, len(numbers)
        before, self._sound_last = self._sound_last, (expected, received)
        fresh = expected - before[0]
        lost = max(0, fresh - (received - before[1]))
        block = rtcp.ReportBlock(0x7777, min(255, lost * 256 // fresh) if fresh > 0 else 0, 0, 0, 0, 0, 0)
        made = rtcp.build_receiver_report(rtcp.ReceiverReport(9, (block,)))
        heapq.heappush(self._back, (now + self.line.weather(now).delay, next(self._order), made))

    # --- what it got -------------------------------------------------------------------------------------------------

    def layer(self, since: float, until: float = float("inf")) -> dict[str, float]:
        """Share of pictures by layer."""
        seen = {(p.rid, p.picture) for p in self.pictures if since <= p.at < until}
        return {rid: sum(1 for r, _ in seen if r == rid) / max(len(seen), 1) for rid in RIDS}

    def frames(self, since: float, until: float) -> int:
        return len({(p.rid, p.picture) for p in self.pictures if since <= p.at < until})

    def sound_gaps(self, since: float, until: float, longest: float = 0.2) -> list[float]:
        """Silences longer than a jitter buffer bridges."""
        times = [at for at in self.sounds if since <= at < until]
        return [b - a for a, b in itertools.pairwise(times) if b - a > longest]

    def qualities(self) -> list[str]:
        events = [e for _, e in self.village.events if isinstance(e, SlotQuality) and e.transport == self.name]
        return [event.quality for event in events]

    def estimate(self) -> float:
        return next(s.estimate or 0 for s in self.village.sfu.stats("lesson") if s.transport == self.name)


def transport_cc(rows: list[tuple[int, float | None]], count: int) -> bytes:
    """draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1, in vectors of seven; may begin with a loss."""
    reference = int(next(at for _, at in rows if at is not None) / 0.064)
    clock, deltas, symbols = reference * 256, bytearray(), []
    for _, at in rows:
        symbols.append(0 if at is None else 2)
        if at is not None:
            delta = max(-0x8000, min(0x7FFF, round(at * 4000) - clock))
            clock += delta
            deltas += delta.to_bytes(2, "big", signed=True)
    chunks = bytearray()
    for start in range(0, len(symbols), 7):
        chunk = 0xC000
        for place, symbol in enumerate(symbols[start : start + 7]):
            chunk |= symbol << 12 - 2 * place
        chunks += chunk.to_bytes(2, "big")
    head = struct.pack("!IIHH", 9, 1, rows[0][0] & 0xFFFF, len(rows)) + (reference & 0xFFFFFF).to_bytes(3, "big")
    body = head + bytes([count & 0xFF]) + bytes(chunks) + bytes(deltas)
    return rtcp.build(rtcp.RTPFB, feedback.TRANSPORT_CC, body + bytes(-len(body) % 4))
