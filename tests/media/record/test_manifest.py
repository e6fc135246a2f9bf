"""Entries come in any order and more than once; the manifest is the same."""

from __future__ import annotations

import random
from typing import Any

from media.record.manifest import Manifest, manifest_key
from tests.support.stores import fragment


def entries() -> list[dict[str, Any]]:
    about = {key: value for key, value in fragment(1)[2].items() if key != "fragment"}
    init = {"k": 0, "key": "lessons/less/e1/mic/init-0.mp4", "mime": "audio/mp4", "width": 0, "height": 0}
    gap = {"from_ms": 5, "to_ms": 8, "cause": "loss"}
    rest = [{**about, "init": init}, {**about, "gap": gap}, {**about, "track": "camera", "init": init}]
    return [fragment(n)[2] for n in range(12)] + rest


def made(given: list[dict[str, Any]]) -> Manifest:
    manifest = Manifest("less", 1, 1_700_000_000_000)
    for entry in given:
        manifest.add(entry)
    return manifest


def by_track(manifest: Manifest) -> dict[str, Any]:
    body = manifest.to_json()
    return {**body, "tracks": {track["track"]: track for track in body["tracks"]}}


def test_order_and_repetition_change_nothing() -> None:
    want = by_track(made(entries()))
    for seed in range(5):
        given = entries() * 2
        random.Random(seed).shuffle(given)
        assert by_track(made(given)) == want
    assert want["saved_ms"] == 12
    assert [item["n"] for item in want["tracks"]["mic"]["fragments"]] == list(range(12))


def test_read_back_and_continued() -> None:
    half = made(entries()[:6])
    again = Manifest.from_json(half.to_json())
    for entry in entries():
        again.add(entry)
    assert by_track(again) == by_track(made(entries()))


def test_closed_and_opened_again() -> None:
    manifest = made(entries())
    manifest.add({"lesson": "less", "epoch": 1, "opened_at_ms": 1, "closed": True})
    assert Manifest.from_json(manifest.to_json()).closed
    manifest.add({"lesson": "less", "epoch": 1, "opened_at_ms": 1, "closed": False})
    assert not manifest.to_json()["closed"]


def test_key() -> None:
    assert manifest_key("less", 3) == "lessons/less/e3/manifest.json"
