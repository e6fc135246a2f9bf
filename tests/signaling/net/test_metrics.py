"""A node's /metrics: readable by Prometheus, only from here or with the token, counters that only rise."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette
from starlette.routing import Route

from media.parameters import TransportStats
from signaling.net.factspool import FactSpool
from signaling.net.mediaspool import MediaSpool
from signaling.net.metrics import MetricsDoor, NodeCollector, Totals
from signaling.net.node import Node
from signaling.net.objectstore import FolderStore
from tests.support.nullplane import NullPlane
from tests.support.signaling import make_spec


def door(node: Node, folder: Path, token: str | None) -> Starlette:
    engine = SimpleNamespace(native=False, garbage=7)
    sources = SimpleNamespace(counts=lambda: Counter(["sending", "sending", "password"]), restarts=1)
    mixers = SimpleNamespace(child="mixer", count=2, restarts=5)
    collector = NodeCollector(node, "n1", folder, engine, sources, [mixers])  # type: ignore[arg-type, list-item]
    return Starlette(routes=[Route("/metrics", MetricsDoor(collector, token).get)])


async def ask(app: Starlette, client: str = "127.0.0.1", **headers: str) -> httpx2.Response:
    transport = httpx2.ASGITransport(app=app, client=(client, 1))
    async with httpx2.AsyncClient(transport=transport, base_url="http://node") as browser:
        return await browser.get("/metrics", headers=headers)


@pytest.fixture
async def node(tmp_path: Path) -> Node:
    store = FolderStore(tmp_path / "objects")
    return Node(NullPlane(), store, MediaSpool(tmp_path / "media", store), FactSpool(tmp_path / "facts"), tmp_path)


async def test_prometheus_can_read_it(node: Node, tmp_path: Path) -> None:
    await node.open(make_spec())
    answer = await ask(door(node, tmp_path, None))
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/plain")
    samples = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
    assert samples["tongtang_rooms", "waiting"] == 1
    assert samples["tongtang_media_garbage_total",] == 7
    assert samples["tongtang_node_info", "n1", "python"] == 1
    assert samples["tongtang_disk_free_bytes",] > 0 and "process_open_fds" in answer.text
    assert "L1" not in answer.text and "王老师" not in answer.text


async def test_cameras_children_and_what_lines_carry(
    node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def line(name: str, estimate: int | None) -> TransportStats:
        return TransportStats(name, "udp", 0, 0, 0, 0, None, 0.0, 0, 0, 0, estimate=estimate)

    lines = [line("a", 80_000), line("b", 2_000_000), line("c", None), line("d", 9_000_000)]
    monkeypatch.setattr(node.plane, "stats", lambda lesson: lines)
    await node.open(make_spec())
    node.media.dropped, node.media.memory = 3, 500
    samples = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families((await ask(door(node, tmp_path, None))).text)
        for sample in family.samples
    }
    cameras = {state: samples["tongtang_cameras", state] for state in ("sending", "password")}
    assert cameras == {"sending": 2, "password": 1}
    assert (samples["tongtang_children", "fetcher"], samples["tongtang_children", "mixer"]) == (3, 2)
    assert (samples["tongtang_child_restarts_total", "fetcher"], samples["tongtang_child_restarts_total", "mixer"]) == (
        1,
        5,
    )
    bucket = "tongtang_estimate_bits_per_second_bucket"
    assert [samples[bucket, most] for most in ("60000", "100000", "3000000", "+Inf")] == [0, 1, 2, 3]
    assert samples["tongtang_recording_lost_total",] == 3 and samples["tongtang_spool_bytes", "memory"] == 500
    assert samples["tongtang_uploads_waiting",] == 0


async def test_who_may_read_it(node: Node, tmp_path: Path) -> None:
    shut, open_ = door(node, tmp_path, None), door(node, tmp_path, "a token")
    assert (await ask(shut, "192.0.2.7")).status_code == 403
    assert (await ask(shut, "127.0.0.1", **{"x-forwarded-for": "203.0.113.9"})).status_code == 403
    assert (await ask(open_, "192.0.2.7", authorization="Bearer a token")).status_code == 200
    assert (await ask(open_, "192.0.2.7", authorization="Bearer another")).status_code == 403
    assert (await ask(shut, "192.0.2.7", authorization="Bearer ")).status_code == 403


def test_counters_rise_over_connections_that_come_and_go() -> None:
    def stats(name: str, sent: int) -> TransportStats:
        return TransportStats(name, "udp", 0, sent, 0, 0, None, 0.0, 0, 0, 0)

    totals, seen = Totals(), []
    for one in ([stats("a", 10)], [stats("a", 30), stats("b", 5)], [stats("b", 6)], [], [stats("a", 4)]):
        totals.look(one)
        seen.append(totals.sums["sent_bytes"])
    assert seen == [10, 35, 36, 36, 40]
