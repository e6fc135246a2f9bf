"""The list of what is safely stored of one epoch: built entry by entry, never shrinking, the same after any restart.

Written by whoever owns that epoch's spool and by nobody else. Fragments are kept encoded, because the whole list is
rewritten about once a second: joining strings is cheap, encoding thousands of dicts is not.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MANIFEST_VERSION = 1


def lesson_prefix(lesson: str, epoch: int) -> str:
    return f"lessons/{lesson}/e{epoch}/"


def manifest_key(lesson: str, epoch: int) -> str:
    return lesson_prefix(lesson, epoch) + "manifest.json"


@dataclass(slots=True)
class TrackList:
    """Entries by their number (for inits and fragments the room time at which they begin), each encoded once."""

    source: str
    mime: str
    inits: dict[int, str] = field(default_factory=dict)
    fragments: dict[int, str] = field(default_factory=dict)
    gaps: dict[int, str] = field(default_factory=dict)

    def encode(self, name: str) -> str:
        head = json.dumps({"track": name, "source": self.source, "mime": self.mime})[:-1]
        lists = (("inits", self.inits), ("fragments", self.fragments), ("gaps", self.gaps))
        return head + "".join(f', "{key}": [{_in_order(entries)}]' for key, entries in lists) + "}"


def _in_order(entries: Mapping[int, str]) -> str:
    return ",\n".join(entries[number] for number in sorted(entries))


class Manifest:
    """All entries of one (lesson, epoch)."""

    def __init__(self, lesson: str, epoch: int, opened_at_ms: int) -> None:
        self.lesson, self.epoch, self.opened_at_ms = lesson, epoch, opened_at_ms
        self.saved_ms = 0
        self.closed = False
        self._tracks: dict[str, TrackList] = {}

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Manifest:
        made = cls(body["lesson"], body["epoch"], body["opened_at_ms"])
        for track in body["tracks"]:
            common = {key: track[key] for key in ("track", "source", "mime")}
            for list_name, kind in (("inits", "init"), ("fragments", "fragment"), ("gaps", "gap")):
                for item in track[list_name]:
                    made.add({**common, kind: item})
        made.saved_ms = max(made.saved_ms, body["saved_ms"])
        made.closed = made.closed or body["closed"]
        return made

    def add(self, entry: Mapping[str, Any]) -> None:
        """Adding the same entry again changes nothing; a later one of the same number replaces it."""
        if "closed" in entry:
            self.closed = entry["closed"]
            return
        track = self._tracks.setdefault(entry["track"], TrackList(entry["source"], entry["mime"]))
        if init := entry.get("init"):
            track.inits[init["k"]] = json.dumps(init)
        if fragment := entry.get("fragment"):
            track.fragments[fragment["n"]] = json.dumps(fragment)
            self.saved_ms = max(self.saved_ms, fragment["to_ms"])
        if gap := entry.get("gap"):
            track.gaps[gap["from_ms"]] = json.dumps(gap)

    def encode(self) -> bytes:
        head = json.dumps(
            {
                "v": MANIFEST_VERSION,
                "lesson": self.lesson,
                "epoch": self.epoch,
                "opened_at_ms": self.opened_at_ms,
                "saved_ms": self.saved_ms,
                "closed": self.closed,
            }
        )[:-1]
        tracks = ",\n".join(track.encode(name) for name, track in self._tracks.items())
        return f'{head}, "tracks": [{tracks}]}}\n'.encode()

    def to_json(self) -> dict[str, Any]:
        body: dict[str, Any] = json.loads(self.encode())
        return body
