"""Offers become plans: new, ICE restart, renegotiation; sources are checked against the role."""

from __future__ import annotations

import pytest

from signaling.negotiation import Leg, Plan, guess_sources, plan_pub, plan_sub
from signaling.sdp.model import SdpError
from tests.support.offers import offer


def leg_of(plan: Plan, pc: str = "pub") -> Leg:
    leg = Leg(pc, "old", None, plan.parameters)  # type: ignore[arg-type]
    leg.tracks, leg.slots = plan.tracks, plan.slots
    return leg


def test_a_new_publisher() -> None:
    plan = plan_pub(offer("chromium-pub"), {"0": "mic", "1": "camera"}, "teacher", "T", None)
    assert plan.kind == "new" and [track for track, _ in plan.publish] == ["T/mic", "T/camera"]
    camera = plan.tracks["1"][1]
    assert camera.codec.mime == "video/H264" and camera.codec.rtx is not None
    assert len(camera.ssrcs) == len(camera.rtx_ssrcs) == 1 and camera.ssrcs != camera.rtx_ssrcs


def test_a_screen_is_added_to_the_same_connection() -> None:
    """Chromium's second offer of one connection has the same certificate and ICE credentials."""
    first = plan_pub(offer("chromium-pub-screen"), {"2": "mic", "3": "camera"}, "teacher", "T", None)
    leg = leg_of(first)
    sources = {"2": "mic", "3": "camera", "4": "screen"}
    again = plan_pub(offer("chromium-pub-screen"), sources, "teacher", "T2", leg)  # type: ignore[arg-type]
    assert again.kind == "same" and [track for track, _ in again.publish] == ["old/screen"]
    assert again.unpublish == ()
    less = plan_pub(offer("chromium-pub-screen"), {"2": "mic"}, "teacher", "T3", leg)
    assert less.unpublish == ("T/camera",) and less.publish == ()


def test_an_ice_restart() -> None:
    first = plan_pub(offer("chromium-pub"), {"0": "mic"}, "teacher", "T", None)
    restarted = offer("chromium-pub").replace("a=ice-ufrag:", "a=ice-ufrag:new")
    plan = plan_pub(restarted, {"0": "mic"}, "teacher", "T2", leg_of(first))
    assert plan.kind == "ice" and plan.publish == () and plan.parameters.ice.ufrag.startswith("new")


def test_another_certificate_is_another_connection() -> None:
    first = plan_pub(offer("chromium-pub"), {"0": "mic"}, "teacher", "T", None)
    other = plan_pub(offer("aiortc-pub"), {"0": "mic"}, "teacher", "T2", leg_of(first))
    assert other.kind == "new" and [track for track, _ in other.publish] == ["T2/mic"]


def test_slots_keep_their_ssrcs_when_offered_again() -> None:
    first = plan_sub(offer("chromium-sub"), "class", 5000, None)
    again = plan_sub(offer("chromium-sub"), "class", 9000, leg_of(first, "sub"))
    assert again.kind == "same" and again.slots == first.slots and again.new_slots == ()


@pytest.mark.parametrize(
    ("sources", "role"),
    [
        ({"2": "camera"}, "teacher"),
        ({"3": "mic"}, "teacher"),
        ({"9": "mic"}, "teacher"),
        ({"2": "mic", "3": "screen"}, "class"),
        ({"2": "mic"}, "watch"),
        ({"3": "camera", "4": "camera"}, "teacher"),
    ],
)
def test_sources_that_do_not_fit(sources: dict[str, str], role: str) -> None:
    with pytest.raises(SdpError) as caught:
        plan_pub(offer("chromium-pub-screen"), sources, role, "T", None)  # type: ignore[arg-type]
    assert caught.value.code == "sdp_sources"


def test_nothing_to_send_and_nothing_to_receive() -> None:
    with pytest.raises(SdpError) as pub:
        plan_pub(offer("chromium-pub"), {}, "teacher", "T", None)
    with pytest.raises(SdpError) as sub:
        plan_sub(offer("chromium-pub"), "class", 0, None)
    assert pub.value.code == sub.value.code == "sdp_empty"


def test_whip_offers_are_guessed_by_order() -> None:
    assert guess_sources(offer("chromium-pub-screen")) == {"2": "mic", "3": "camera", "4": "screen"}
    assert guess_sources(offer("aiortc-pub")) == {"0": "mic", "1": "camera"}
    assert guess_sources(offer("chromium-sub")) == {}
