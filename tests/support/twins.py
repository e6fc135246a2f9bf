"""Two packet engines in step: everything that happens to one happens to the other, and all they say must be the same.

``Play`` makes up a lesson from a seed: layers and sound that get lost, late, twice, forged or garbled on the way,
readers that switch, thin out, NACK and leave. Rule: bytes to one reader are compared in order; between readers order is
free.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from media.engine import Detail, Engine, LinkConfig, StreamConfig
from media.parameters import Codec, Extensions
from media.transport.srtp import PROFILES, Arena, SrtpKeys, SrtpSession, find_binding, open_session
from media.wire import rtp
from media.wire.extensions import build
from tests.support.engine_rig import IN_IDS, OPUS, OPUS_OUT, OUT_IDS, RED_OUT, VP8, VP8_OUT, vp8
from tests.support.media_hall import Wire

H264 = Codec("video/H264", 102, 90000, fmtp="packetization-mode=1;profile-level-id=42e01f", rtx=103)
H264_OUT = Codec("video/H264", 125, 90000, fmtp="packetization-mode=1;profile-level-id=42e01f")
Address = tuple[str, int]
_BINDING = find_binding()


class Difference(AssertionError):
    """The twins disagree."""


class Twins:
    """``call`` both; ``same`` compares what left since."""

    def __init__(self, first: Engine, second: Engine) -> None:
        self.engines = (first, second)
        self.wires = (Wire(), Wire())
        self.port, _ = (e.attach(w) for e, w in zip(self.engines, self.wires, strict=True))
        self.calls = 0

    def call(self, name: str, *arguments: Any, **named: Any) -> Any:
        self.calls += 1
        one, other = (getattr(e, name)(*arguments, **named) for e in self.engines)
        if one != other:
            raise Difference(f"{name}{arguments}{named}: {one} and {other}")
        return one

    def burst(self, datagrams: Sequence[tuple[bytes, Address]], now: float) -> Any:
        for wire in self.wires:
            wire.waiting += datagrams
        return self.call("service", self.port, now)

    def same(self) -> int:
        """Packets compared."""
        self.call("flush")
        one, other = (_by_reader(wire) for wire in self.wires)
        if one != other:
            raise Difference(_first_difference(one, other))
        return sum(map(len, one.values()))


def _by_reader(wire: Wire) -> dict[tuple[Address, bool], list[bytes]]:
    """Media apart: what is plain does not wait for the end of a burst."""
    found: dict[tuple[Address, bool], list[bytes]] = {}
    for address, data in wire.sent:
        found.setdefault((address, data[:1] >= b"\x80"), []).append(data)
    wire.sent.clear()
    return found


def _first_difference(one: dict[Any, list[bytes]], other: dict[Any, list[bytes]]) -> str:
    for key in sorted(one.keys() | other.keys(), key=str):
        a, b = one.get(key, []), other.get(key, [])
        for place, (x, y) in enumerate(zip(a, b, strict=False)):
            if x != y:
                return f"to {key}, packet {place}: {x[:40].hex()} ({len(x)}) and {y[:40].hex()} ({len(y)})"
        if len(a) != len(b):
            return f"to {key}: {len(a)} packets and {len(b)}"
    return "?"


# --- a lesson made up from a seed -------------------------------------------------------------------------------------


class Sender:
    """One SSRC of a publisher."""

    def __init__(self, play: Play, owner: int, ssrc: int, ids: tuple[tuple[int, bytes], ...], codec: Codec) -> None:
        chance = play.chance
        self.play, self.owner, self.ssrc, self.ids, self.codec = play, owner, ssrc, ids, codec
        self.sequence, self.timestamp = chance.randrange(65536), chance.randrange(1 << 32)
        self.picture, self.tl0, self.rtx_sequence = chance.randrange(1 << 15), chance.randrange(256), 1
        self.lost: list[bytes] = []

    def packet(self) -> bytes:
        chance = self.play.chance
        self.sequence = self.sequence + 1 & 0xFFFF
        start = chance.random() < 0.4
        if start:
            self.timestamp = self.timestamp + chance.choice((960, 3000, 3000, 9000)) & 0xFFFFFFFF
            self.picture, self.tl0 = self.picture + 1, self.tl0 + chance.randrange(2)
        extensions = [*self.ids] if chance.random() < 0.5 else []
        if chance.random() < 0.95:
            extensions.append((3, self.play.next_wide(self.owner)))
        if self.codec is OPUS and chance.random() < 0.9:
            extensions.append((1, bytes([chance.randrange(256)])))
        chance.shuffle(extensions)
        first = chance.random() < 0.02
        made = rtp.build(
            self.codec.payload_type,
            self.sequence,
            self.timestamp,
            self.ssrc,
            self._payload(start),
            chance.random() < 0.3,
            build(extensions),
        )
        return self._padded(made) if first else made

    def _payload(self, start: bool) -> bytes:
        chance = self.play.chance
        body = chance.randbytes(chance.choice((0, 1, 5, 40, 300, 1000, 1150)))
        if self.codec is OPUS:
            return body[:200]
        if chance.random() < 0.03:
            return body  # garbage of an authentic peer
        key = start and chance.random() < 0.3
        if self.codec is VP8:
            picture = self.picture if chance.random() < 0.97 else None
            return vp8(picture, key=key, start=start, tl0=self.tl0 & 255 if self.ssrc & 1 else None, body=body)
        return bytes([0x67 if key else 0x41, 0x80]) + body

    def _padded(self, packet: bytes) -> bytes:
        size = self.play.chance.randrange(256)
        return bytes([packet[0] | 0x20]) + packet[1:] + bytes(max(0, size - 1)) + bytes([size])

    def rtx(self) -> bytes | None:
        """Of a packet that was lost, or of one that was not."""
        if not self.lost or self.codec.rtx is None:
            return None
        original = self.play.chance.choice(self.lost)
        head = rtp.parse(original)
        self.rtx_sequence += 1
        payload = original[2:4] + original[head.payload_at : head.payload_end]
        ids = tuple((11 if i == 10 else i, v) for i, v in self.ids)
        return rtp.build(
            self.codec.rtx, self.rtx_sequence, head.timestamp, self.ssrc ^ 0xF000, payload, False, build([*ids])
        )

    def jump(self) -> None:
        """Its encoder or the whole peer began anew."""
        chance = self.play.chance
        self.sequence = chance.randrange(65536)
        if chance.random() < 0.5:
            self.timestamp = chance.randrange(1 << 32)
        if chance.random() < 0.3:
            self.ssrc += 0x100


class Play:
    """``run`` some steps; raises ``Difference``. ``compared``: packets that left both twins alike."""

    PUBLISHERS, READERS = (1, 2), (11, 12, 13, 14)

    def __init__(self, make: Sequence[Callable[[Random], Engine]], seed: int) -> None:
        self.chance = Random(seed)
        self.twins = Twins(*(m(Random(seed)) for m in make))
        self.now, self.compared = 1000.0 + seed / 7, 0
        self._wide = dict.fromkeys(self.PUBLISHERS, 65500)
        self._arena = Arena(8192, _BINDING)
        self._srtp: dict[int, SrtpSession] = {}
        self._late: list[tuple[int, bytes]] = []
        self.streams: list[int] = []
        self.links: dict[int, int] = {}
        self.senders: list[Sender] = []
        for peer in (*self.PUBLISHERS, *self.READERS):
            self._join(peer)
        for peer in self.PUBLISHERS:
            self._publish(peer)
        for peer in self.READERS:
            self._subscribe(peer)

    def next_wide(self, owner: int) -> bytes:
        self._wide[owner] += self.chance.choice((1, 1, 1, 2))
        return (self._wide[owner] & 0xFFFF).to_bytes(2, "big")

    # --- who is there -------------------------------------------------------------------------------------------------

    def address(self, peer: int) -> Address:
        return f"198.51.100.{peer}", 5000 + peer

    def _join(self, peer: int) -> None:
        profile = PROFILES[self.chance.choice(sorted(PROFILES))]
        size = 2 * (profile.key_length + profile.salt_length)
        keys = SrtpKeys.from_exporter(profile, self.chance.randbytes(size))
        self._srtp[peer] = open_session(keys.mirrored(), _BINDING)
        path = (self.twins.port, self.address(peer))
        self.twins.call("add_peer", peer)
        self.twins.call("set_keys", peer, keys)
        self.twins.call("add_path", peer, path)
        self.twins.call("select_path", peer, path)

    def _publish(self, peer: int) -> None:
        named = self.chance.random() < 0.5
        plans = [("1", "video", VP8, rid) for rid in ("q", "h", "f")] + [
            ("2", "video", H264, None),
            ("0", "audio", OPUS, None),
        ]
        for place, (mid, kind, codec, rid) in enumerate(plans):
            stream, ssrc = 100 * peer + place, 0x1000 * peer + place
            known = (ssrc,) if named or rid is None else ()
            rtx = (ssrc ^ 0xF000,) if named and codec.rtx else ()
            self.twins.call("add_stream", stream, peer, StreamConfig(kind, mid, codec, IN_IDS, known, rtx, rid))  # type: ignore[arg-type]
            ids = ((4, mid.encode()), *(((10, rid.encode()),) if rid else ()))
            self.senders.append(Sender(self, peer, ssrc, ids, codec))
            self.streams.append(stream)
            if self.chance.random() < 0.5:
                self.twins.call("tap", stream, None)

    def _subscribe(self, peer: int) -> None:
        chance = self.chance
        ids = chance.choice(
            (OUT_IDS, OUT_IDS, Extensions(), Extensions(transport_cc=3), Extensions(mid=20, abs_send_time=2))
        )
        for place in range(2):
            rtx = 0x9000 + 2 * peer + place if chance.random() < 0.7 else None
            codecs = (VP8_OUT, H264_OUT) if chance.random() < 0.7 else (H264_OUT, VP8_OUT)
            self._link(peer, LinkConfig("video", f"v{place}", codecs, ids, 0x5000 + 2 * peer + place, rtx))
        sound = (OPUS_OUT, RED_OUT) if chance.random() < 0.6 else (OPUS_OUT,)
        self._link(peer, LinkConfig("audio", "a", sound, ids, 0x7000 + peer, None))

    def _link(self, peer: int, config: LinkConfig) -> None:
        link = 1000 + len(self.links)
        self.links[link] = peer
        self.twins.call("add_link", link, peer, config)
        self.twins.call("switch", link, self.chance.choice(self.streams))

    # --- what happens -------------------------------------------------------------------------------------------------

    def seal(self, peer: int, plain: bytes, rtcp: bool = False) -> bytes:
        srtp = self._srtp[peer]
        self._arena.data[: len(plain)] = plain
        size = (srtp.protect_rtcp if rtcp else srtp.protect)(self._arena, 0, len(plain))
        return bytes(self._arena.data[:size]) if size else b""

    def _burst(self) -> list[tuple[bytes, Address]]:
        chance, out = self.chance, []
        for _ in range(chance.choice((1, 1, 4, 30))):
            sender = chance.choice(self.senders)
            for _ in range(chance.choice((1, 1, 3, 8))):
                out += self._on_the_way(sender, sender.packet())
        if chance.random() < 0.3 and (again := chance.choice(self.senders).rtx()):
            out.append((self.seal(chance.choice(self.PUBLISHERS), again), self.address(chance.choice(self.PUBLISHERS))))
        if chance.random() < 0.1 and (again := sender.rtx()):
            out.append((self.seal(sender.owner, again), self.address(sender.owner)))
        return [one for one in out if one[0]]

    def _on_the_way(self, sender: Sender, plain: bytes) -> list[tuple[bytes, Address]]:
        chance, address = self.chance, self.address(sender.owner)
        fate = chance.random()
        sealed = self.seal(sender.owner, plain)
        if fate < 0.04:
            sender.lost = [*sender.lost[-20:], plain]
            return []
        if fate < 0.08:
            self._late.append((sender.owner, sealed))
            return []
        if fate < 0.10:
            return [(sealed, address), (sealed, address)]
        if fate < 0.12:
            return [(_garbled(sealed, chance), address)]
        late = [(data, self.address(owner)) for owner, data in self._late] if chance.random() < 0.2 else []
        self._late = [] if late else self._late
        return [(sealed, address), *late]

    def step(self) -> None:
        chance = self.chance
        self.now += chance.choice((0.0, 0.001, 0.005, 0.02, 0.02, 0.1, 0.7)) * chance.random()
        if chance.random() < 0.01:
            self.now += 4.0
        if chance.random() < 0.6:
            self.twins.burst(self._burst(), self.now)
        else:
            getattr(self, f"_{chance.choice(_DEEDS)}")()
        if chance.random() < 0.7:
            self.compared += self.twins.same()

    def _one(self) -> None:
        sender = self.chance.choice(self.senders)
        for data, address in self._on_the_way(sender, sender.packet()):
            self.twins.call("receive", data, (self.twins.port, address), self.now)

    def _noise(self) -> None:
        data = self.chance.randbytes(self.chance.choice((0, 1, 12, 60, 1200, 2100)))
        peer = self.chance.choice((*self.PUBLISHERS, *self.READERS, 99))
        self.twins.call("receive", data, (self.twins.port, self.address(peer)), self.now)

    def _rtcp(self) -> None:
        chance = self.chance
        plain = bytes([0x80, chance.choice((200, 201, 205, 206)), 0, 1]) + chance.randbytes(
            4 + 4 * chance.randrange(20)
        )
        reader = chance.choice(self.READERS)
        self.twins.call("receive", self.seal(reader, plain, True), (self.twins.port, self.address(reader)), self.now)
        self.twins.call("send_rtcp", chance.choice(self.PUBLISHERS), plain)
        self.twins.call("send", (self.twins.port, self.address(reader)), b"\0\1" + plain)

    def _switch(self) -> None:
        chance = self.chance
        stream = chance.choice((*self.streams, *self.streams, None, 9999))
        delta = chance.choice((None, 0, chance.randrange(1 << 32), chance.randrange(90000)))
        link = chance.choice((*self.links, 4))
        self.twins.call("switch", link, stream, keep=chance.random() < 0.6, delta=delta)

    def _detail(self) -> None:
        self.twins.call("set_detail", self.chance.choice([*self.links]), self.chance.choice((*Detail, Detail.ALL)))

    def _red(self) -> None:
        self.twins.call("set_redundancy", self.chance.choice([*self.links]), self.chance.randrange(3))

    def _pace(self) -> None:
        rate = self.chance.choice((None, 1000.0, 60e3, 300e3, 2e6, 1e9))
        self.twins.call("pace", self.chance.choice(self.READERS), rate)

    def _pump(self) -> None:
        self.twins.call("pump", self.now)

    def _probe(self) -> None:
        self.twins.call(
            "probe", self.chance.choice([*self.links]), self.chance.choice((100, 255, 3000, 60000)), self.now
        )

    def _nack(self) -> None:
        chance = self.chance
        link = chance.choice([*self.links])
        sent = self.twins.call("sending", link)
        for peer, wire in ((self.links[link], self.twins.wires[0]),):
            numbers = [int.from_bytes(d[2:4], "big") for a, d in wire.sent if a == self.address(peer) and len(d) > 12]
        numbers = numbers or [chance.randrange(65536)]
        if sent is not None:
            wanted = [chance.choice(numbers) - chance.randrange(3) & 0xFFFF for _ in range(chance.randrange(1, 9))]
            self.twins.call("resend", link, wanted, self.now)

    def _ask(self) -> None:
        for stream in self.streams:
            for name in ("reception", "loudness"):
                self.twins.call(name, stream)
            self.twins.call("missing", stream, self.now)
        for peer in (*self.PUBLISHERS, *self.READERS):
            for name in ("arrivals", "departures", "counters"):
                if name == "counters":
                    self.compared += self.twins.same()  # counted when sent
                self.twins.call(name, peer)
        for link in self.links:
            self.twins.call("sending", link)

    def _jump(self) -> None:
        self.chance.choice(self.senders).jump()

    def _move(self) -> None:
        """Roaming, a closed port, keys anew, a stream that ends."""
        chance = self.chance
        reader = chance.choice(self.READERS)
        path = (chance.choice((self.twins.port, self.twins.port, 77)), self.address(reader))
        self.compared += self.twins.same()
        self.twins.call("select_path", reader, path)
        if chance.random() < 0.2 and len(self.streams) > 4:
            self.twins.call("remove_stream", self.streams.pop(chance.randrange(len(self.streams))))
        if chance.random() < 0.1:
            self.twins.call("remove_peer", reader)
            self._join(reader)
            for link in [k for k, owner in self.links.items() if owner == reader]:
                del self.links[link]
            self.links[min(self.links, default=0) - 1] = reader
            del self.links[min(self.links)]

    def run(self, steps: int) -> None:
        for number in range(steps):
            try:
                self.step()
            except Difference as error:
                error.add_note(f"step {number}")
                raise
        self._ask()
        self.compared += self.twins.same()


_DEEDS = ("one", "noise", "rtcp", "switch", "switch", "detail", "red", "pace", "pump", "pump", "probe", "nack", "nack")
_DEEDS += ("ask", "jump", "move")  # type: ignore[assignment]


def _garbled(data: bytes, chance: Random) -> bytes:
    """One bit, or the end, is another's."""
    if chance.random() < 0.5 and data:
        at = chance.randrange(len(data))
        return data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :]
    return data[: chance.randrange(len(data) + 1)]
