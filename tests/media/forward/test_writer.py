"""The bytes of one packet: the same ones again when asked, nothing counted that was not sent."""

from __future__ import annotations

import pytest

from media.engine import Address, LinkConfig
from media.forward.history import Media
from media.forward.rewrite import Rewriter
from media.forward.writer import Writer
from media.parameters import Codec, Extensions
from media.transport.outbox import Burst, Outbox
from media.transport.srtp import PROFILES, SrtpKeys, find_binding, open_session
from media.wire.vp8 import Shift, renumbered
from tests.support.media_hall import Wire

IDS = Extensions(mid=9, abs_send_time=7, transport_cc=8)
VP8 = Codec("video/VP8", 120, 90000)
TO: Address = ("198.51.100.1", 5000)


def opened(codec: Codec = VP8, rtx: int | None = None, kind: str = "video") -> tuple[Writer, Outbox, Wire]:
    profile = PROFILES[b"SRTP_AEAD_AES_128_GCM"]
    keys, binding, wire = SrtpKeys(profile, bytes(28), bytes(28)), find_binding(), Wire()
    outbox = Outbox(Burst(binding))
    outbox.secure(open_session(keys, binding))
    outbox.aim(wire, (1, TO))
    config = LinkConfig("audio" if kind == "audio" else "video", "v", (codec,), IDS, 5, rtx)
    return Writer(outbox, config, 0), outbox, wire


def test_only_links_without_rtx_keep_what_they_sent() -> None:
    assert opened()[0].keeps
    assert opened(Codec("video/VP8", 120, 90000, rtx=121), 6)[0].keeps is False
    assert opened(kind="audio")[0].keeps is False


def test_the_same_bytes_again_until_they_are_forgotten() -> None:
    writer, outbox, wire = opened()
    for number in range(65536, 65536 + 300):
        outbox.burst.stamp = (number & 0xFFFFFF).to_bytes(3, "big")
        assert writer.write(120, number & 0xFFFF, 9, 5, b"", b"body%d" % number)
        writer.keep(number, 120, 9, b"body%d" % number)
    outbox.flush()
    sent = wire.take()
    assert writer.again(65536 + 299) and writer.again(65536 + 100)
    outbox.flush()
    assert wire.take() == [sent[299], sent[100]]
    assert writer.again(65536) == 0 and writer.again(65536 + 300) == 0
    assert len(outbox.take_departures()) == 300, "a repetition is no departure: its number was told"


def test_what_cannot_be_sent_takes_no_transport_wide_number() -> None:
    writer, outbox, wire = opened()
    assert writer.write(120, 1, 9, 5, b"", bytes(30_000)) == 0
    outbox.protect = lambda *_: 0
    assert writer.write(120, 1, 9, 5, b"", b"body") == 0
    outbox.flush()
    assert (outbox.transport_cc, wire.sent, outbox.take_departures()) == (65536, [], [])


def test_padding_is_numbered_and_told() -> None:
    writer, outbox, wire = opened(Codec("video/VP8", 120, 90000, rtx=121), 6)
    sizes = [writer.padding(121, 9), writer.write(120, 1, 9, 5, b"", b"body"), writer.padding(121, 9)]
    outbox.flush()
    assert [len(data) for data in wire.take()] == sizes
    assert [(n, size) for n, _, size in outbox.take_departures()] == list(enumerate(sizes, 65537))
    assert opened()[0].padding(121, 9) == 0


@pytest.mark.parametrize("shift", [None, Shift(7, 3)])
def test_a_frame_in_one_go_is_what_its_packets_would_be(shift: Shift | None) -> None:
    descriptor = bytes.fromhex("90e0812a05")  # picture id 0x12a, TL0PICIDX 5
    medias: list[Media] = [
        (70000 + i, 900, 0x80 * (i == 49), b"", descriptor + bytes([i]) * (1000 - i // 40)) for i in range(50)
    ]
    medias.insert(0, (60000, 800, 0, b"", b"of before"))
    rtx = Codec("video/VP8", 120, 90000, rtx=121)
    (one, each, wire), (other, many, same) = opened(rtx, 6), opened(rtx, 6)
    rewriter = Rewriter(90000, 100, 5)
    rewriter.switch(1, 70000, 900, 10.0, None, shift)
    expected = rewriter.highest
    for number, timestamp, marker, level, payload in medias[1:]:
        sent = payload if shift is None else renumbered(payload, shift)
        out = number + rewriter.offset & 0xFFFF
        assert one.write(120 | marker, out, timestamp + rewriter.timestamp_offset & 0xFFFFFFFF, 5, level, sent)
    assert other.many
    octets, newest = other.write_all([(media, False) for media in medias], rewriter, 120, shift)
    assert (octets, newest) == (sum(len(m[4]) for m in medias[1:]), medias[-1][4])
    assert rewriter.highest == expected + 50
    each.flush()
    many.flush()
    assert wire.take() == same.take()
    assert each.take_departures() == many.take_departures() != []
