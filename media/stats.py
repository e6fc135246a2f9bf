"""Counters of engine and reports as the values signaling sees."""

from __future__ import annotations

from collections.abc import Mapping

from media.engine import Engine
from media.forward.layers import quality
from media.forward.router import PeerState, PublishedTrack, Slot
from media.parameters import SlotStats, TransportStats
from media.transport.transport import PeerTransport


def transport_stats(
    engine: Engine, transport: PeerTransport, state: PeerState, tracks: Mapping[str, PublishedTrack]
) -> TransportStats:
    seen = engine.counters(transport.peer)
    subscriber = state.subscriber
    return TransportStats(
        transport=transport.name,
        path=engine.port_kind(transport.path[0]) if transport.path else "",
        received_bytes=seen.received_bytes if seen else 0,
        sent_bytes=seen.sent_bytes if seen else 0,
        received_packets=seen.received_packets if seen else 0,
        sent_packets=seen.sent_packets if seen else 0,
        rtt_ms=None if subscriber.rtt is None else subscriber.rtt * 1000,
        loss=subscriber.loss,
        nacks_received=subscriber.nacks,
        retransmitted=seen.retransmitted if seen else 0,
        key_frames_requested=subscriber.key_frames + sum(tracks[t].key_frames.sent for t in state.tracks),
        tracks=tuple(sorted(state.tracks)),
        jitter_ms=max((s.jitter * 1000 for s in state.slots.values() if s.jitter is not None), default=None),
        estimate=None if subscriber.estimate is None else round(subscriber.estimate),
        queued=seen.queued if seen else 0,
        slots=tuple(_slot(slot, tracks) for slot in state.slots.values() if slot.track is not None),
    )


def _slot(slot: Slot, tracks: Mapping[str, PublishedTrack]) -> SlotStats:
    kind, track = slot.parameters.kind, tracks.get(slot.track or "")
    layer = track.layer(slot.shown) if track else None
    if track is None or not slot.video:
        return SlotStats(slot.parameters.mid, kind, slot.track, None, "high")
    level = slot.level if slot.level < 0 or layer is None else layer.index
    rid = layer.rid if layer else None
    return SlotStats(slot.parameters.mid, kind, slot.track, rid, quality(len(track.layers), level))
