"""RTCP that arrived, packet by packet of the compound. Rule: what cannot be read or is not ours is skipped."""

from __future__ import annotations

from media.engine import Detail, Engine
from media.forward import reports
from media.forward.pictures import Pictures
from media.forward.registry import Registry
from media.forward.router import PeerState
from media.forward.steering import Steering
from media.wire import feedback, rtcp


class Inbox:
    """``take`` one decrypted compound."""

    def __init__(self, registry: Registry, engine: Engine, pictures: Pictures, steering: Steering) -> None:
        self._registry = registry
        self._steering = steering
        self._engine = engine
        self._pictures = pictures

    def take(self, peer: int, data: bytes, now: float) -> None:
        transport = self._registry.by_peer.get(peer)
        if transport is None:
            return
        state = self._registry.states[transport.name]
        if state.idle and rtcp.only_receives(data):
            return
        state.subscriber.spoke = True
        for packet in rtcp.split(data):
            if (sender := rtcp.sender_report(packet)) is not None:
                self._sender_report(state, sender, now)
                reports.note_report_blocks(state, sender.blocks, now)
            elif (receiver := rtcp.receiver_report(packet)) is not None:
                reports.note_report_blocks(state, receiver.blocks, now)
            elif packet.type == rtcp.RTPFB and packet.count == feedback.NACK:
                self._nack(state, packet, now)
            elif packet.type == rtcp.RTPFB and packet.count == feedback.TRANSPORT_CC:
                self._steering.feedback(transport, state, feedback.transport_cc(packet), now)
            elif packet.type == rtcp.PSFB:
                self._picture_feedback(state, packet, now)

    def _sender_report(self, state: PeerState, report: rtcp.SenderReport, now: float) -> None:
        for name in state.tracks:
            track = self._registry.tracks[name]
            for layer in track.layers:
                seen = self._engine.reception(layer.stream)
                if seen is not None and seen.ssrc == report.ssrc:
                    reports.note_sender_report(track, layer, state, report, now)

    def _nack(self, state: PeerState, packet: rtcp.Packet, now: float) -> None:
        media = feedback.media_ssrc(packet)
        slot = next((s for s in state.slots.values() if s.parameters.ssrc == media), None)
        if slot is not None:
            lost = feedback.nacked(packet)
            subscriber = state.subscriber
            subscriber.nacks += len(lost)
            if slot.detail is Detail.NOTHING:
                return  # it is not shown any more
            allowed = subscriber.repairs.allow(len(lost), subscriber.estimate, now)
            self._engine.resend(slot.link, lost[:allowed], now)

    def _picture_feedback(self, state: PeerState, packet: rtcp.Packet, now: float) -> None:
        bits = feedback.remb(packet)
        if bits is not None:
            state.subscriber.remb = bits
        wanted = feedback.key_frames_wanted(packet)
        for slot in state.slots.values():
            if slot.parameters.ssrc in wanted and slot.track is not None:
                state.subscriber.key_frames += 1
                if slot.detail is Detail.ALL:  # else the next still comes anyway, when there is room for it
                    self._pictures.broke(slot, self._registry.tracks[slot.track], now)
