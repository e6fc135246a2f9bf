"""Manifests and op chunks of all epochs become one replay. Pure.

Rule: a later epoch holds from its own beginning on; what an older node still wrote after that never happened in the
room. Holes that no manifest explains are marked here, so that nothing missing goes unsaid.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from server.recordings.schemas import FragmentOut, GapOut, InitOut, TrackOut
from signaling.facts import SHARED_TRACKS, lost

MIN_HOLE_MS = {"audio": 500, "video": 1500}
"""Below it a hole is one of those that every recording has."""
LEAST_GAP_MS = 100
"""Less than a frame or two is no gap."""
HIDDEN_KINDS = ("room",)
"""Ops whose body is not for viewers (the lesson's whole plan)."""


def media_url(lesson: str, epoch: int, track: str, key: str) -> str:
    return f"/api/v1/lessons/{lesson}/replay/media/{epoch}/{track}/{key.rpartition('/')[2]}"


def merge_tracks(manifests: Sequence[Mapping[str, Any]]) -> list[TrackOut]:
    """One list per track name, over all epochs, in order of room time."""
    names = {track["track"]: None for manifest in manifests for track in manifest["tracks"]}
    return [_merge_track(name, manifests) for name in names]


def _merge_track(name: str, manifests: Sequence[Mapping[str, Any]]) -> TrackOut:
    inits: list[InitOut] = []
    fragments: list[FragmentOut] = []
    gaps: list[GapOut] = []
    for manifest in sorted(manifests, key=lambda one: int(one["epoch"])):
        start = _begins(manifest)
        fragments = [one for one in fragments if start is None or one.from_ms < start]
        gaps = [one for one in gaps if start is None or one.from_ms < start]
        for track in manifest["tracks"]:
            if track["track"] == name:
                inits += [_init(manifest, track, item) for item in track["inits"]]
                fragments += [_fragment(manifest, track, item) for item in track["fragments"]]
                gaps += [GapOut(**gap) for gap in track["gaps"]]
    fragments.sort(key=lambda one: one.from_ms)
    gaps = [held for gap in gaps if (held := _clipped(gap, fragments)) is not None]
    kind = "audio" if inits and inits[0].mime.startswith("audio/") else "video"
    if name in SHARED_TRACKS:
        gaps = [gap for gap in gaps if lost(name, gap.cause)]
    else:
        gaps += _unexplained(fragments, gaps, MIN_HOLE_MS[kind])
    gaps.sort(key=lambda one: one.from_ms)
    return TrackOut(track=name, kind=kind, inits=inits, fragments=fragments, gaps=gaps)


def _begins(manifest: Mapping[str, Any]) -> int | None:
    starts = [item["from_ms"] for track in manifest["tracks"] for item in track["fragments"]]
    return min(starts, default=None)


def _init(manifest: Mapping[str, Any], track: Mapping[str, Any], item: Mapping[str, Any]) -> InitOut:
    return InitOut(
        id=f"{manifest['epoch']}-{item['k']}",
        url=media_url(manifest["lesson"], manifest["epoch"], track["track"], item["key"]),
        mime=item.get("mime", track["mime"]),
        width=item["width"],
        height=item["height"],
    )


def _fragment(manifest: Mapping[str, Any], track: Mapping[str, Any], item: Mapping[str, Any]) -> FragmentOut:
    return FragmentOut(
        init=f"{manifest['epoch']}-{item['init']}",
        url=media_url(manifest["lesson"], manifest["epoch"], track["track"], item["key"]),
        from_ms=item["from_ms"],
        to_ms=item["to_ms"],
        random_access=item["random_access"],
        size=item["size"],
    )


def _clipped(gap: GapOut, fragments: Sequence[FragmentOut]) -> GapOut | None:
    """Of a move the new node knows only when it took over; the old one recorded on until its publishers had left."""
    if gap.cause != "moved":
        return gap
    last = max((one.to_ms for one in fragments if one.from_ms < gap.to_ms and one.to_ms <= gap.to_ms), default=0)
    if gap.to_ms - last < LEAST_GAP_MS:
        return None
    return GapOut(from_ms=max(gap.from_ms, last), to_ms=gap.to_ms, cause=gap.cause)


def _unexplained(fragments: Sequence[FragmentOut], gaps: Sequence[GapOut], least: int) -> list[GapOut]:
    """Holes between neighbours that no gap covers: a node went away between them, or an object is missing."""
    found = []
    for before, after in pairwise(fragments):
        explained = any(gap.from_ms < after.from_ms and gap.to_ms > before.to_ms for gap in gaps)
        if after.from_ms - before.to_ms >= least and not explained:
            cause = "missing" if before.init == after.init else "node"
            found.append(GapOut(from_ms=before.to_ms, to_ms=after.from_ms, cause=cause))
    return found


def read_chunk(data: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in data.splitlines() if line]


def blank(chunk: bytes, seq: int) -> bytes:
    """The chunk without the words of one chat line; every other line stays byte for byte."""
    return b"".join(_blank_line(line, seq) for line in chunk.splitlines(keepends=True))


def _blank_line(line: bytes, seq: int) -> bytes:
    op = json.loads(line)
    if op["kind"] != "chat.say" or op["seq"] != seq or not op["body"]["text"]:
        return line
    op["body"]["text"] = ""
    return json.dumps(op, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def merge_ops(lines: Iterable[Mapping[str, Any]], later: Iterable[int] = ()) -> list[dict[str, Any]]:
    """Each op once, in the order in which it held, without what is not for viewers and without erased words.

    ``later``: chat lines that were erased when the room was over."""
    ops = {(line["epoch"], line["seq"]): line for line in lines}
    first: dict[int, int] = {}
    for epoch, seq in ops:
        first[epoch] = min(seq, first.get(epoch, seq))
    held = [ops[at] for at in sorted(ops) if not any(e > at[0] and s <= at[1] for e, s in first.items())]
    erased = {op["body"].get("seq") for op in held if op["kind"] == "chat.erase"} | set(later)
    return [_shown(op, erased) for op in held]


def _shown(op: Mapping[str, Any], erased: set[Any]) -> dict[str, Any]:
    body = op["body"]
    if op["kind"] in HIDDEN_KINDS:
        body = {}
    elif op["kind"] == "chat.say" and op["seq"] in erased:
        body = {**body, "text": ""}
    return {**{key: op[key] for key in ("seq", "epoch", "t", "kind", "by", "v")}, "body": body}


def span(tracks: Sequence[TrackOut], ops: Sequence[Mapping[str, Any]]) -> tuple[int, int]:
    """From the first to the last that can be shown; the log serves where no media was recorded."""
    fragments = [fragment for track in tracks for fragment in track.fragments]
    if fragments:
        return min(one.from_ms for one in fragments), max(one.to_ms for one in fragments)
    times = [int(op["t"]) for op in ops]
    return min(times, default=0), max(times, default=0)
