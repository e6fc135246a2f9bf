"""RTCP from and to one peer: reports, feedback, requests. Pure: reads engine counters, returns compounds.

Rule: to publishers we are a receiver (RR, NACK, PLI, transport-cc), to subscribers a sender whose clock is the node's.
"""

from __future__ import annotations

import logging

from media.engine import Engine, Reception
from media.forward.clock import NTP_BASE, SenderClock
from media.forward.layers import Layer
from media.forward.router import PeerState, PublishedTrack, Slot
from media.forward.sound import reported_loss
from media.wire import feedback, rtcp

log = logging.getLogger("tongtang.media")

OWN_SSRC = 1  # ours as receiver; browsers accept any
CNAME = "tongtang"
_LOSS_SMOOTHING = 0.3  # a report covers a second or two of sound: some fifty packets
_LOSS_MEMORY = 150  # packets
_PLAUSIBLE = 10_000  # packets between two reports


def receiver_compound(engine: Engine, tracks: list[PublishedTrack], now: float) -> bytes:
    """RR + SDES for everything a publisher sends us; empty when nothing came yet."""
    blocks = []
    for track in tracks:
        for layer in track.layers:
            seen = engine.reception(layer.stream)
            if seen is not None:
                blocks.append(_block(track, layer, seen, now))
    if not blocks:
        return b""
    report = rtcp.ReceiverReport(OWN_SSRC, tuple(blocks[:31]))
    return rtcp.build_receiver_report(report) + rtcp.build_cname(OWN_SSRC, CNAME)


def _block(track: PublishedTrack, layer: Layer, seen: Reception, now: float) -> rtcp.ReportBlock:
    """RFC 3550 appendix A.3; of sound the publisher also hears what its worst listener loses."""
    expected, received = seen.expected - layer.prior[0], seen.received - layer.prior[1]
    layer.prior = (seen.expected, seen.received)
    lost = expected - received
    fraction = min(255, (lost << 8) // expected) if expected > 0 and lost > 0 else 0
    layer.lost += _LOSS_SMOOTHING * (fraction / 256 - layer.lost)
    if not track.video:
        fraction = reported_loss(fraction / 256, (track.listener_loss,))
    lsr = dlsr = 0
    if layer.sr is not None and layer.sr.ssrc == seen.ssrc:
        lsr, dlsr = layer.sr.middle, round((now - layer.sr.arrival) * 65536)
    total = max(0, seen.expected - seen.received)
    return rtcp.ReportBlock(seen.ssrc, fraction, total, seen.highest, seen.jitter, lsr, dlsr)


def sender_compound(engine: Engine, link: int, track: PublishedTrack, publisher: PeerState, now: float) -> bytes:
    """SR + SDES for one slot: node's clock, subscriber's timestamps. Empty until the publisher's clock is known."""
    sending = engine.sending(link)
    layer = track.layer(sending.stream) if sending is not None and sending.started else None
    seen = engine.reception(layer.stream) if layer is not None else None
    if sending is None or layer is None or seen is None:
        return b""
    if layer.sr is None or layer.sr.ssrc != seen.ssrc:
        return b""
    timestamp = publisher.clock.timestamp_at(layer.sr, now, track.parameters.codec.clock_rate)
    if timestamp is None:
        return b""
    report = rtcp.SenderReport(
        sending.ssrc,
        rtcp.to_ntp(now + NTP_BASE),
        timestamp + sending.timestamp_offset & 0xFFFFFFFF,
        sending.packets,
        sending.octets,
    )
    return rtcp.build_sender_report(report) + rtcp.build_cname(sending.ssrc, CNAME)


def note_sender_report(
    track: PublishedTrack, layer: Layer, state: PeerState, report: rtcp.SenderReport, now: float
) -> None:
    seconds = rtcp.from_ntp(report.ntp)
    if not report.ntp:
        return  # RFC 3550 section 6.4.1: a sender without a clock says zero
    state.clock.note(seconds, now)
    layer.sr = SenderClock(report.ssrc, seconds, report.rtp_timestamp, rtcp.middle(report.ntp), now)
    if track.tap is not None:
        try:
            track.tap.report(layer.sr)
        except Exception:  # the recorder's fault must not end the publisher's RTCP
            log.exception("the recorder of track %s failed", track.name)


def note_report_blocks(state: PeerState, blocks: tuple[rtcp.ReportBlock, ...], now: float) -> None:
    """Loss of the worst stream; round trip by LSR and DLSR (RFC 3550 section 6.4.1), whose stamps are our own."""
    if not blocks:
        return
    subscriber = state.subscriber
    subscriber.loss = max(b.fraction for b in blocks) / 256
    by_ssrc = {slot.parameters.ssrc: slot for slot in state.slots.values()}
    for block in blocks:
        if (slot := by_ssrc.get(block.ssrc)) is not None:
            slot.loss += _LOSS_SMOOTHING * (block.fraction / 256 - slot.loss)
            _weigh(slot, block)
            slot.jitter = block.jitter / slot.parameters.codecs[0].clock_rate
        if block.lsr:
            trip = (rtcp.middle(rtcp.to_ntp(now + NTP_BASE)) - block.lsr - block.dlsr) & 0xFFFFFFFF
            if trip < 0x80000000:
                subscriber.rtt = trip / 65536
    subscriber.losing = max((slot.losing for slot in state.slots.values()), default=0.0)


def _weigh(slot: Slot, block: rtcp.ReportBlock) -> None:
    """Browsers report when they like, be it on two packets: each counts as many as it is about."""
    about = block.highest - slot.reported if slot.reported is not None else 0
    slot.reported = block.highest
    if 0 < about < _PLAUSIBLE:
        slot.losing += about / (about + _LOSS_MEMORY) * (block.fraction / 256 - slot.losing)


def nack_compound(media_ssrc: int, missing: list[int]) -> bytes:
    return feedback.build_nack(OWN_SSRC, media_ssrc, missing)


def transport_cc_compound(engine: Engine, peer: int, state: PeerState, media_ssrc: int) -> bytes:
    """What arrived since the last one; empty when nothing did."""
    arrivals = engine.arrivals(peer)
    if not arrivals:
        return b""
    recent = [a for a in arrivals if arrivals[-1][0] - a[0] < 0x2000]
    state.feedback_count += 1
    return feedback.build_transport_cc(OWN_SSRC, media_ssrc, state.feedback_count, recent)
