"""Manifests and op chunks of several epochs become one replay; nothing missing goes unsaid, nothing erased returns."""

from __future__ import annotations

import json
from typing import Any

from server.recordings import merge
from server.recordings.merge import merge_ops, merge_tracks, read_chunk, span
from signaling.net import erasing


def manifest(
    epoch: int, spans: list[tuple[int, int]], *, track: str = "mic", gaps: tuple[Any, ...] = ()
) -> dict[str, Any]:
    mime = 'audio/mp4; codecs="opus"' if track in ("mic", "screen-audio") else 'video/webm; codecs="vp8"'
    k = spans[0][0] if spans else 0
    about = {"track": track, "source": track, "mime": mime}
    return {
        "v": 1,
        "lesson": "less",
        "epoch": epoch,
        "opened_at_ms": 1000,
        "saved_ms": 0,
        "closed": False,
        "tracks": [
            {
                **about,
                "inits": [{"k": k, "key": f"lessons/less/e{epoch}/{track}/init-{k}.mp4", "width": 0, "height": 0}],
                "fragments": [
                    {
                        "n": a,
                        "key": f"lessons/less/e{epoch}/{track}/{a:06d}.m4s",
                        "init": k,
                        "from_ms": a,
                        "to_ms": b,
                        "random_access": True,
                        "size": 10,
                        "sha256": "0",
                    }
                    for a, b in spans
                ],
                "gaps": [{"from_ms": a, "to_ms": b, "cause": cause} for a, b, cause in gaps],
            }
        ],
    }


def test_one_epoch_as_it_is() -> None:
    (track,) = merge_tracks([manifest(1, [(0, 1500), (1500, 3000)])])
    assert track.kind == "audio" and track.gaps == []
    assert [f.url for f in track.fragments] == [
        "/api/v1/lessons/less/replay/media/1/mic/000000.m4s",
        "/api/v1/lessons/less/replay/media/1/mic/001500.m4s",
    ]
    assert track.fragments[0].init == track.inits[0].id == "1-0"


def test_a_node_that_went_away_leaves_a_marked_gap() -> None:
    (track,) = merge_tracks([manifest(2, [(9000, 10_000)]), manifest(1, [(0, 1500), (1500, 3000)])])
    assert [(g.from_ms, g.to_ms, g.cause) for g in track.gaps] == [(3000, 9000, "node")]
    assert [f.from_ms for f in track.fragments] == [0, 1500, 9000]


def test_a_missing_object_leaves_a_marked_gap() -> None:
    (track,) = merge_tracks([manifest(1, [(0, 1500), (3000, 4500)])])
    assert [(g.from_ms, g.to_ms, g.cause) for g in track.gaps] == [(1500, 3000, "missing")]


def test_an_explained_hole_keeps_its_cause() -> None:
    (track,) = merge_tracks([manifest(1, [(0, 1500), (3000, 4500)], gaps=((1500, 3000, "loss"),))])
    assert [g.cause for g in track.gaps] == ["loss"]


def test_a_still_screen_has_no_holes() -> None:
    (track,) = merge_tracks([manifest(1, [(0, 1500), (60_000, 61_000)], track="screen")])
    assert track.gaps == [] and track.kind == "video"


def test_a_shared_screens_sound_comes_and_goes_and_what_was_lost_of_it_is_said() -> None:
    gaps = ((1500, 60_000, "reconnect"), (61_000, 63_000, "node"))
    (track,) = merge_tracks([manifest(1, [(0, 1500), (60_000, 61_000)], track="screen-audio", gaps=gaps)])
    assert track.kind == "audio" and [(g.from_ms, g.cause) for g in track.gaps] == [(61_000, "node")]


def test_a_later_epoch_holds_from_its_beginning() -> None:
    late = manifest(1, [(0, 1500), (1500, 3000), (5000, 6500)])  # an old node that did not know
    (track,) = merge_tracks([late, manifest(2, [(4000, 5500), (5500, 7000)])])
    assert [f.from_ms for f in track.fragments] == [0, 1500, 4000, 5500]


def op(seq: int, epoch: int = 1, kind: str = "page.turn", **body: Any) -> dict[str, Any]:
    return {"seq": seq, "epoch": epoch, "t": seq, "kind": kind, "by": "t-1", "body": body, "v": 1, "intent": "t-1 x"}


def test_ops_once_in_order_without_what_is_not_for_viewers() -> None:
    ops = [
        op(1, kind="room", teacher="x", rooms=[1]),
        op(2, kind="chat.say", text="secret"),
        op(3, kind="chat.say", text="ok"),
    ]
    ops += [op(4, kind="chat.erase"), op(9)]
    ops[3]["body"] = {"seq": 2}
    merged = merge_ops([*ops, *ops, op(9, 2, "epoch")])
    assert [(o["epoch"], o["seq"]) for o in merged] == [(1, 1), (1, 2), (1, 3), (1, 4), (2, 9)]
    assert merged[0]["body"] == {}
    assert merged[1]["body"] == {"text": ""} and merged[2]["body"] == {"text": "ok"}
    assert all("intent" not in o for o in merged)


def test_chunks_and_span() -> None:
    assert read_chunk(b'{"a":1}\n\n{"a":2}\n') == [{"a": 1}, {"a": 2}]
    assert span([], [op(5), op(70)]) == (5, 70)
    assert span([], []) == (0, 0)
    assert span(merge_tracks([manifest(1, [(30, 1500)])]), [op(99_999)]) == (30, 1500)


def test_the_web_blanks_a_line_as_the_node_does() -> None:
    lines = [json.dumps(op(n, kind="chat.say") | {"body": {"text": f"话 \u2028 {n}"}}) for n in (1, 2)]
    chunk = "".join(f"{line}\n" for line in [*lines, json.dumps(op(3))]).encode()
    assert merge.blank(chunk, 1) == erasing.blank(chunk, {1})
    assert merge.blank(chunk, 3) == erasing.blank(chunk, {3}) == chunk
