"""/metrics of a node, for Prometheus: what it carries, how its lines are, what waits. Made anew at every scrape.

Rule: no person, no lesson and no address in a label; counters only rise, though the connections they count come and
go. Only this machine or the bearer of TONGTANG_METRICS_TOKEN may read it.
"""

from __future__ import annotations

import hmac
import resource
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeHistogramMetricFamily,
    GaugeMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from media.engine import Engine
from media.parameters import TransportStats
from signaling.net.keeper import Keeper
from signaling.net.node import Node
from signaling.net.sources import SourceKeeper

LOOPBACK = ("127.0.0.1", "::1")
FORWARDED = ("x-forwarded-for", "forwarded", "x-real-ip")
"""A proxy on this machine speaks for others."""
ESTIMATES = (60_000, 100_000, 250_000, 600_000, 1_500_000, 3_000_000)
"""bit/s: sound alone; sound and slides; a small, a middle, a large picture; all that a page asks for."""
COUNTED = (
    ("received_bytes", "Bytes received from peers."),
    ("sent_bytes", "Bytes sent to peers."),
    ("received_packets", "Packets received from peers."),
    ("sent_packets", "Packets sent to peers."),
    ("retransmitted", "Packets sent once more because a peer missed them."),
    ("nacks_received", "Packets that peers asked for once more."),
    ("key_frames_requested", "Key frames asked for."),
)


class Totals:
    """Sums over connections that come and go: each one's rise since the last look."""

    def __init__(self) -> None:
        self.sums = dict.fromkeys((name for name, _ in COUNTED), 0)
        self._last: dict[str, TransportStats] = {}

    def look(self, stats: Iterable[TransportStats]) -> None:
        now = {one.transport: one for one in stats}
        for transport, one in now.items():
            before = self._last.get(transport)
            for name in self.sums:
                value = int(getattr(one, name))
                held = int(getattr(before, name)) if before else 0
                self.sums[name] += value - held if value >= held else value
        self._last = now


class NodeCollector(Collector):
    def __init__(
        self, node: Node, node_id: str, spool: Path, engine: Engine, sources: SourceKeeper, keepers: Sequence[Keeper]
    ) -> None:
        self._node, self._node_id, self._spool, self._engine = node, node_id, spool, engine
        self._sources, self._keepers = sources, keepers
        self._totals = Totals()

    def collect(self) -> Iterator[Metric]:
        stats = [one for lesson in self._node.lives for one in self._node.plane.stats(lesson)]
        self._totals.look(stats)
        for name, told in COUNTED:
            yield CounterMetricFamily(f"tongtang_media_{name}", told, value=self._totals.sums[name])
        yield from self._rooms()
        yield from self._lines(stats)
        yield _estimates(stats)
        yield from self._children()
        yield from self._waiting()
        strange = self._engine.garbage
        yield CounterMetricFamily("tongtang_media_garbage", "Datagrams that meant nothing.", value=strange)
        about = {"node": self._node_id, "engine": "native" if self._engine.native else "python"}
        yield InfoMetricFamily("tongtang_node", "Which node, which packet engine.", about)

    def _rooms(self) -> Iterator[Metric]:
        rooms = GaugeMetricFamily("tongtang_rooms", "Rooms by phase.", labels=["phase"])
        people = GaugeMetricFamily("tongtang_people", "People and devices by role.", labels=["role"])
        lights = GaugeMetricFamily("tongtang_lights", "People and devices by their line's light.", labels=["light"])
        counts: dict[tuple[str, str], int] = {}
        for report, live in ((one, self._node.lives.get(one.lesson)) for one in self._node.reports()):
            counts["phase", report.phase] = counts.get(("phase", report.phase), 0) + 1
            for card in live.lobby.cards(self._node.now(), live.live) if live else ():
                counts["role", card["role"]] = counts.get(("role", card["role"]), 0) + 1
                counts["light", card["light"]] = counts.get(("light", card["light"]), 0) + 1
        for (what, label), count in sorted(counts.items()):
            {"phase": rooms, "role": people, "light": lights}[what].add_metric([label], count)
        yield from (rooms, people, lights)
        stalled = sum(1 for report in self._node.reports() if report.stalled)
        yield GaugeMetricFamily(
            "tongtang_rooms_stalled", "Rooms whose recording or log is not safe yet.", value=stalled
        )

    def _lines(self, stats: list[TransportStats]) -> Iterator[Metric]:
        yield GaugeMetricFamily("tongtang_transports", "Peer connections.", value=len(stats))
        trips = [one.rtt_ms / 1000 for one in stats if one.rtt_ms is not None]
        yield GaugeMetricFamily(
            "tongtang_rtt_seconds_max", "Round trip of the worst line.", value=max(trips, default=0)
        )
        losses = [one.loss for one in stats]
        yield GaugeMetricFamily("tongtang_loss_ratio_max", "Loss on the worst line.", value=max(losses, default=0))
        lost = [one.up_loss for one in stats if one.up_loss is not None]
        yield GaugeMetricFamily(
            "tongtang_uplink_loss_ratio_max", "Loss of the worst sender's packets.", value=max(lost, default=0)
        )
        late = [one.up_jitter_ms / 1000 for one in stats if one.up_jitter_ms is not None]
        yield GaugeMetricFamily(
            "tongtang_uplink_jitter_seconds_max", "Jitter of the worst sender's packets.", value=max(late, default=0)
        )
        queued = sum(one.queued for one in stats)
        yield GaugeMetricFamily("tongtang_queued_bytes", "Bytes that wait for weak lines.", value=queued)

    def _children(self) -> Iterator[Metric]:
        cameras = GaugeMetricFamily("tongtang_cameras", "Cameras fetched from, by how it goes.", labels=["state"])
        counts = self._sources.counts()
        for state, count in sorted(counts.items()):
            cameras.add_metric([state], count)
        yield cameras
        running = GaugeMetricFamily("tongtang_children", "Processes beside rooms.", labels=["child"])
        again = CounterMetricFamily("tongtang_child_restarts", "Of them, those that died.", labels=["child"])
        kept = [("fetcher", counts.total(), self._sources.restarts)]
        for child, count, restarts in kept + [(one.child, one.count, one.restarts) for one in self._keepers]:
            running.add_metric([child], count)
            again.add_metric([child], restarts)
        yield from (running, again)

    def _waiting(self) -> Iterator[Metric]:
        node = self._node
        lost = node.media.dropped
        yield CounterMetricFamily("tongtang_recording_lost", "Pieces of recordings that found no room.", value=lost)
        yield GaugeMetricFamily(
            "tongtang_uploads_waiting", "Objects on their way to the store.", value=node.media.pending
        )
        spools = GaugeMetricFamily("tongtang_spool_bytes", "What is not stored elsewhere yet.", labels=["spool"])
        spools.add_metric(["media"], node.media.bytes)
        spools.add_metric(["memory"], node.media.memory)  # only there: the disk could not take it
        spools.add_metric(["facts"], node.facts.bytes)
        yield spools
        refused = node.facts.refused
        yield CounterMetricFamily("tongtang_facts_refused", "Facts the ledger could not take.", value=refused)
        yield GaugeMetricFamily(
            "tongtang_ops_waiting", "Ops that are not in the object store yet.", value=node.ops.pending
        )
        free = shutil.disk_usage(self._spool).free
        yield GaugeMetricFamily("tongtang_disk_free_bytes", "Free space where the spools lie.", value=free)
        used = resource.getrusage(resource.RUSAGE_SELF)
        seconds = used.ru_utime + used.ru_stime
        yield CounterMetricFamily("tongtang_cpu_seconds", "CPU of this node; one core is one a second.", value=seconds)
        yield GaugeMetricFamily("tongtang_draining", "1 while it gives its rooms away.", value=int(node.draining))


def _estimates(stats: list[TransportStats]) -> Metric:
    """What lines to receivers are believed to carry; the borders are those of the pictures' layers."""
    known = [one.estimate for one in stats if one.estimate is not None]
    below = [(str(most), sum(1 for one in known if one <= most)) for most in ESTIMATES]
    made = GaugeHistogramMetricFamily("tongtang_estimate_bits_per_second", "What lines are believed to carry.")
    made.add_metric([], [*below, ("+Inf", len(known))], sum(known))
    return made


def may_scrape(request: Request, token: str | None) -> bool:
    """This machine, asking for itself; or whoever shows the token."""
    shown = request.headers.get("authorization", "").removeprefix("Bearer ")
    if token and hmac.compare_digest(shown.encode(), token.encode()):
        return True
    own = request.client is not None and request.client.host in LOOPBACK
    return own and not any(header in request.headers for header in FORWARDED)


class MetricsDoor:
    def __init__(self, collector: Collector, token: str | None) -> None:
        self._token = token
        self._registry = CollectorRegistry()
        self._registry.register(collector)
        ProcessCollector(registry=self._registry)

    async def get(self, request: Request) -> Response:
        if not may_scrape(request, self._token):
            return JSONResponse({"error": "forbidden"}, 403)
        return Response(generate_latest(self._registry), headers={"content-type": CONTENT_TYPE_LATEST})
