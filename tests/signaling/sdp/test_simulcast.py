"""Which layers of an offer are taken, and how the answer names them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from signaling.negotiation import plan_pub
from signaling.sdp.answer import describe
from signaling.sdp.codecs import RID, payloads
from signaling.sdp.model import MediaSection, Rid
from signaling.sdp.parse import parse
from signaling.sdp.simulcast import answered, layers, offered
from signaling.sdp.write import write
from tests.signaling.sdp.test_answer import OURS
from tests.support.offers import offer

(VIDEO,) = parse(offer("chromium-simulcast")).media


def taken(media: MediaSection) -> tuple[str, ...]:
    return layers(media, payloads(media)[0])


def test_three_layers_in_the_offers_order() -> None:
    assert taken(VIDEO) == ("q", "h", "f")
    plan = plan_pub(offer("chromium-simulcast"), {"0": "camera"}, "teacher", "T", None)
    track = plan.tracks["0"][1]
    assert track.rids == ("q", "h", "f") and track.ssrcs == track.rtx_ssrcs == ()
    assert track.codec.mime == "video/H264" and track.extensions.rid == 10 and track.extensions.repaired_rid == 11
    text = write(describe(plan.offer, plan.accepted, OURS, 7))
    assert "a=rid:q recv\r\na=rid:h recv\r\na=rid:f recv\r\na=simulcast:recv q;h;f\r\n" in text
    assert f"a=extmap:10 {RID}\r\n" in text


def test_vp8_where_there_is_no_h264() -> None:
    plan = plan_pub(offer("chromium-simulcast").replace("H264/", "H265/"), {"0": "camera"}, "teacher", "T", None)
    assert plan.tracks["0"][1].codec.mime == "video/VP8" and plan.tracks["0"][1].rids == ("q", "h", "f")


@pytest.mark.parametrize(
    ("simulcast", "wanted"),
    [
        ("send q;h,f", ("q", "h")),
        ("send ~q;h", ("q", "h")),
        ("recv q;h;f", ()),
        ("recv q send h;f", ("h", "f")),
        ("send q", ()),
        ("send q;q", ()),
        ("send q;x;f", ("q", "f")),
        ("send", ()),
        (None, ()),
    ],
)
def test_what_an_offer_may_say(simulcast: str | None, wanted: tuple[str, ...]) -> None:
    assert taken(replace(VIDEO, simulcast=simulcast)) == wanted


def test_never_more_than_three() -> None:
    rids = tuple(Rid(f"l{n}", "send") for n in range(5))
    many = replace(VIDEO, rids=rids, simulcast="send " + ";".join(one.id for one in rids))
    assert offered(many) == ["l0", "l1", "l2", "l3", "l4"] and taken(many) == ("l0", "l1", "l2")


def test_layers_limited_to_other_payload_types_are_left() -> None:
    chosen = payloads(VIDEO)[0].payload_type
    rids = (Rid("q", "send", f"pt=96,{chosen}"), Rid("h", "send", "max-width=640"), Rid("f", "send", "pt=96"))
    assert taken(replace(VIDEO, rids=rids)) == ("q", "h")


def test_without_the_header_extension_nobody_could_tell_them_apart() -> None:
    maps = tuple(one for one in VIDEO.extmaps if one.uri != RID)
    assert taken(replace(VIDEO, extmaps=maps)) == ()


def test_a_plain_stream_is_answered_plainly() -> None:
    assert answered(()) == ((), None)


def test_restrictions_survive_writing() -> None:
    text = offer("chromium-simulcast").replace("a=rid:q send", "a=rid:q send pt=96;max-width=320")
    once = parse(text)
    assert once.media[0].rids[0] == Rid("q", "send", "pt=96;max-width=320") and parse(write(once)) == once
