"""Throws at the C engine what its Python face would never: authentic nonsense, wild numbers, teardown in mid-flow.

``python -m tests.support.hostile MODULE SEED SECONDS``: run by ``tests/media/test_sanitized.py`` with a module built
with sanitizers, which end the process at the first wrong access. Prints how many cases it tried.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from random import Random
from typing import Any

from media.cengine import CEngine
from media.engine import Detail, LinkConfig, StreamConfig
from media.parameters import Codec, Extensions
from media.pyengine import PythonEngine
from media.transport.srtp import PROFILES, SrtpKeys, open_session
from tests.support import native
from tests.support.engine_rig import BINDING, OPUS, RED_OUT, VP8
from tests.support.media_hall import Wire
from tests.support.twins import H264, Play

_CODECS = (VP8, H264, OPUS)
_HANDLES = (0, 1, 2, 3, -1, 1 << 62)
_TIMES = (0.0, 1.0, 100.0, 1e9, -5.0)


class Hostile:
    """One engine, no second opinion: it only has to survive."""

    def __init__(self, module: Any, seed: int) -> None:
        self.chance = Random(seed)
        self.engine = CEngine(module, Random(seed))
        self.wire = Wire()
        self.port = self.engine.attach(self.wire)
        self.arena: Any = None
        self.senders: dict[int, Any] = {}
        self.cases = 0
        self.now = 100.0

    def handle(self) -> int:
        return self.chance.choice(_HANDLES)

    def path(self) -> tuple[int, tuple[str, int]]:
        host = self.chance.choice(("10.0.0.1", "10.0.0.2", "fd00::1", "fe80::1%2", "", "no address"))
        return self.chance.choice((self.port, self.port, 0, 99)), (host, self.chance.choice((1, 5000, 65535)))

    def extensions(self) -> Extensions:
        numbers = [self.chance.choice((None, 1, 4, 14, 15, 200)) for _ in range(6)]
        return Extensions(*numbers)

    def step(self) -> None:
        self.cases += 1
        self.now += self.chance.random() * self.chance.choice((0, 0.01, 1))
        deed = self.chance.choice(
            (self._packet, self._packet, self._packet, self._bytes, self._set_up, self._call, self._call)
        )
        deed()
        if self.chance.random() < 0.3:
            self.engine.flush()
            self.wire.sent.clear()

    def _set_up(self) -> None:
        chance, engine, handle = self.chance, self.engine, self.handle()
        kind = chance.randrange(6)
        if kind == 0:
            engine.add_peer(handle)
            self._key(handle)
        elif kind == 1:
            engine.add_path(handle, self.path())
            engine.select_path(handle, self.path())
        elif kind == 2:
            codec = chance.choice(_CODECS)
            media: Any = "audio" if codec is OPUS else "video"
            ssrcs = tuple(chance.randrange(8) for _ in range(chance.randrange(3)))
            rid = chance.choice((None, "", "q", "h" * 16))
            made = StreamConfig(
                media, chance.choice(("", "0", "x" * 16)), codec, self.extensions(), ssrcs, ssrcs[:1], rid
            )
            engine.add_stream(handle, self.handle(), made)
        elif kind == 3:
            plain = chance.choice(_CODECS)
            codecs: tuple[Codec, ...] = (plain, RED_OUT, chance.choice(_CODECS))
            made_link = LinkConfig(
                "audio" if plain is OPUS else "video",
                chance.choice(("", "v", "m" * 8)),
                codecs,
                self.extensions(),
                chance.randrange(1 << 32),
                chance.choice((None, 7)),
            )
            engine.add_link(handle, self.handle(), made_link)
        elif kind == 4:
            chance.choice((engine.remove_stream, engine.remove_peer, engine.detach))(handle)
            self.port = engine.attach(self.wire)
        else:
            engine.tap(handle, chance.choice((None, _Deaf())))

    def _key(self, peer: int) -> None:
        profile = PROFILES[self.chance.choice(sorted(PROFILES))]
        keys = SrtpKeys.from_exporter(profile, bytes(2 * (profile.key_length + profile.salt_length)))
        self.engine.set_keys(peer, keys)
        self.senders[peer] = open_session(keys.mirrored(), BINDING)

    def _packet(self) -> None:
        """Authentic, and nonsense behind the first twelve bytes."""
        if not self.senders:
            return
        chance, peer = self.chance, self.chance.choice(sorted(self.senders))
        body = bytearray(chance.randbytes(chance.choice((12, 13, 16, 40, 200, 1400, 2000))))
        body[0] = 0x80 | chance.choice((0, 0x10, 0x20, 0x30, 0x3F, 3))
        rtcp = chance.random() < 0.15
        body[1] = chance.choice((200, 205)) if rtcp else chance.choice((96, 97, 111, 102, 103, 0xE0, 0xEF))
        body[8:12] = chance.randrange(8).to_bytes(4, "big")
        if body[0] & 0x10 and len(body) > 20:
            at = 12 + 4 * (body[0] & 15)
            body[at : at + 4] = chance.choice((b"\xbe\xde\0", b"\x10\0\0", b"\0\0\0")) + bytes([chance.randrange(9)])
        from media.transport.srtp import Arena

        arena = Arena(4096, BINDING)
        arena.data[: len(body)] = body
        session = self.senders[peer]
        size = (session.protect_rtcp if rtcp else session.protect)(arena, 0, len(body))
        path = self.path()
        self.engine.add_path(peer, path)
        self.engine.receive(bytes(arena.data[:size]), path, self.now)

    def _bytes(self) -> None:
        data = self.chance.randbytes(self.chance.choice((0, 1, 2, 8, 12, 20, 100, 2048, 2049, 5000)))
        self.engine.receive(data, self.path(), self.now)
        self.wire.waiting.append((data[:2048], self.path()[1]))
        self.engine.service(self.port, self.now)

    def _call(self) -> None:
        chance, engine, handle = self.chance, self.engine, self.handle()
        now = chance.choice((self.now, *_TIMES))
        calls: tuple[tuple[Any, ...], ...] = (
            (engine.switch, handle, chance.choice((None, self.handle()))),
            (engine.set_detail, handle, chance.choice([*Detail])),
            (engine.set_redundancy, handle, chance.choice((-1, 0, 1, 2, 99))),
            (engine.pace, handle, chance.choice((None, 0.0, -1.0, 1e3, 1e6, 1e300))),
            (engine.pump, now),
            (engine.probe, handle, chance.choice((-1, 0, 255, 100_000)), now),
            (engine.resend, handle, [chance.randrange(1 << 20) for _ in range(5)], now),
            (engine.missing, handle, now),
            (engine.arrivals, handle),
            (engine.departures, handle),
            (engine.loudness, handle),
            (engine.reception, handle),
            (engine.sending, handle),
            (engine.counters, handle),
            (engine.send_rtcp, handle, chance.randbytes(chance.choice((0, 4, 8, 100, 3000)))),
            (engine.send, self.path(), chance.randbytes(20)),
            (engine.drop_path, self.path()),
        )
        function, *arguments = chance.choice(calls)
        function(*arguments)


class _Deaf:
    def on_rtp(self, packet: bytes, arrival: float) -> None:
        return None

    def on_sender_report(self, ssrc: int, ntp_seconds: float, rtp_timestamp: int, arrival: float) -> None:
        return None


def main(path: str, seed: int, seconds: float) -> None:
    module = native.load(Path(path))
    assert module.load_crypto("libcrypto.so.3")
    end, cases, alike = time.monotonic() + seconds, 0, 0
    while time.monotonic() < end:
        seed += 1
        hostile = Hostile(module, seed)
        for _ in range(400):
            hostile.step()
        cases += hostile.cases
        play = Play((lambda r: PythonEngine(True, r), lambda r: CEngine(module, r)), seed)
        play.run(60)
        alike += play.compared
    print(f"{cases} hostile cases, {alike} packets alike, last seed {seed}")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
