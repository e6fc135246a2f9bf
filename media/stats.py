"""Counters of engine and reports as the values signaling sees."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from media.engine import Engine, Reception
from media.forward.layers import Layer, quality
from media.forward.router import PeerState, PublishedTrack, Slot
from media.parameters import SlotStats, TransportStats
from media.transport.transport import PeerTransport


def transport_stats(
    engine: Engine, transport: PeerTransport, state: PeerState, tracks: Mapping[str, PublishedTrack]
) -> TransportStats:
    counted = engine.counters(transport.peer)
    subscriber = state.subscriber
    sent = [one for name in state.tracks for one in _sent(engine, tracks[name])]
    return TransportStats(
        transport=transport.name,
        path=engine.port_kind(transport.path[0]) if transport.path else "",
        received_bytes=counted.received_bytes if counted else 0,
        sent_bytes=counted.sent_bytes if counted else 0,
        received_packets=counted.received_packets if counted else 0,
        sent_packets=counted.sent_packets if counted else 0,
        rtt_ms=None if subscriber.rtt is None else subscriber.rtt * 1000,
        loss=subscriber.loss,
        nacks_received=subscriber.nacks,
        retransmitted=counted.retransmitted if counted else 0,
        key_frames_requested=subscriber.key_frames + sum(tracks[t].key_frames.sent for t in state.tracks),
        tracks=tuple(sorted(state.tracks)),
        jitter_ms=max((s.jitter * 1000 for s in state.slots.values() if s.jitter is not None), default=None),
        estimate=None if subscriber.estimate is None else round(subscriber.estimate),
        queued=counted.queued if counted else 0,
        up_loss=max((layer.lost for layer, _, _ in sent), default=None),
        up_jitter_ms=max((1000 * seen.jitter / rate for _, seen, rate in sent), default=None),
        slots=tuple(_slot(slot, tracks) for slot in state.slots.values() if slot.track is not None),
    )


def _sent(engine: Engine, track: PublishedTrack) -> Iterator[tuple[Layer, Reception, int]]:
    """What of a track comes, and by which clock it counts its jitter: a layer at rest would keep its last for ever."""
    for layer in track.layers:
        if layer.active and (seen := engine.reception(layer.stream)) is not None:
            yield layer, seen, track.parameters.codec.clock_rate


def _slot(slot: Slot, tracks: Mapping[str, PublishedTrack]) -> SlotStats:
    kind, track = slot.parameters.kind, tracks.get(slot.track or "")
    layer = track.layer(slot.shown) if track else None
    if track is None or not slot.video:
        return SlotStats(slot.parameters.mid, kind, slot.track, None, "off" if slot.silenced else "high")
    level = slot.level if slot.level < 0 or layer is None else layer.index
    rid = layer.rid if layer else None
    return SlotStats(slot.parameters.mid, kind, slot.track, rid, quality(len(track.layers), level))
