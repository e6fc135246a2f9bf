"""One room's recording: tracks in, objects for the spool out. Pure: the node calls ``take`` about every 100 ms.

recorder = Recorder(lesson, epoch, opened_at_ms)      opened_at_ms: room time zero on the wall clock
recorder.set_origin(now - room_ms / 1000)             room time zero on the monotonic clock; before any packet
sink = recorder.add_track("camera", "camera", codec)  again for the same name when the publisher came back
sfu.record(track, sink)
for o in recorder.take(now): await spool.put(o.key, o.data, content_type=o.content_type, entry=o.entry)
for name in recorder.wants_key_frame(now): sfu.request_key_frame(...)
spool.on_saved = recorder.saved;  recorder.saved_ms   everything before it is in the object store
recorder.gap(from_ms, to_ms, "node")                  what no track can know (the node was away)
recorder.close(now) -> objects                        at the lesson's end; recording again afterwards is allowed
"""

from __future__ import annotations

from typing import Any

from media.parameters import Codec
from media.record.clock import PublisherClock
from media.record.fragments import AudioFragmenter, Shelf, TrackName, VideoFragmenter
from media.record.manifest import Manifest, lesson_prefix
from media.record.objects import RecordedObject
from media.record.sink import TrackSink
from media.record.track import TrackRecorder

KEY_FRAME_SECONDS = 6.0
"""A segment starts at a key frame, asked for this often: seeking lands at most so far before its target."""
KEY_FRAME_RETRY_SECONDS = 1.0


class Recorder:
    def __init__(self, lesson: str, epoch: int, opened_at_ms: int) -> None:
        self.lesson, self.epoch, self.opened_at_ms = lesson, epoch, opened_at_ms
        self._origin: float | None = None
        self._tracks: dict[str, TrackRecorder] = {}
        self._asked: dict[str, float] = {}
        self._publisher = PublisherClock()
        self._ready: list[RecordedObject] = []
        self._unsaved: dict[str, RecordedObject] = {}
        self._manifest = Manifest(lesson, epoch, opened_at_ms)
        self._gaps: list[tuple[int, int, str]] = []
        self._saved_ms = 0

    def set_origin(self, now_at_room_zero: float) -> None:
        self._origin = now_at_room_zero

    def room_ms(self, now: float) -> float:
        assert self._origin is not None, "set_origin comes before the first packet"
        return (now - self._origin) * 1000

    def add_track(self, name: str, source: str, codec: Codec) -> TrackSink:
        """Where the SFU writes this track; PeerError for a codec that has no container here."""
        track = self._tracks.get(name)
        if track is None:
            shelf = Shelf(TrackName(self.lesson, self.epoch, self.opened_at_ms, name, source), self._put)
            made = AudioFragmenter(shelf) if codec.mime.startswith("audio/") else VideoFragmenter(shelf)
            track = TrackRecorder(made, codec, self._publisher, self.room_ms, still=source == "screen")
            self._tracks[name] = track
            for gap in self._gaps:
                shelf.put_gap(*gap)
        else:
            track.change_codec(codec)
        return track

    def _put(self, item: RecordedObject) -> None:
        self._ready.append(item)
        self._unsaved[item.key] = item

    def take(self, now: float, flush: bool = False) -> list[RecordedObject]:
        """Objects that are ready, in the order in which they must be kept."""
        for track in self._tracks.values():
            if flush:
                track.flush()
            else:
                track.expire(now)
        ready, self._ready = self._ready, []
        return ready

    def close(self, now: float) -> list[RecordedObject]:
        return [*self.take(now, flush=True), self._note("closed", True)]

    def reopen(self) -> list[RecordedObject]:
        return [self._note("closed", False)]

    def _note(self, what: str, value: bool) -> RecordedObject:
        entry: dict[str, Any] = {"lesson": self.lesson, "epoch": self.epoch, "opened_at_ms": self.opened_at_ms}
        key = f"{lesson_prefix(self.lesson, self.epoch)}{what}-{value}".lower()
        item = RecordedObject(key, b"", "application/json", {**entry, what: value})
        self._unsaved[item.key] = item
        return item

    def wants_key_frame(self, now: float) -> list[str]:
        """Tracks whose segment has lasted long enough, or that can record nothing before a key frame comes."""
        wanted = [name for name, track in self._tracks.items() if track.wants_key_frame(now, KEY_FRAME_SECONDS)]
        due = [name for name in wanted if now - self._asked.get(name, -1e9) >= KEY_FRAME_RETRY_SECONDS]
        self._asked.update(dict.fromkeys(due, now))
        return due

    def gap(self, from_ms: int, to_ms: int, cause: str) -> None:
        """Known to the node, not to a track; stands in every track, also in those that come later."""
        self._gaps.append((from_ms, to_ms, cause))
        for track in self._tracks.values():
            track.fragmenter.shelf.put_gap(from_ms, to_ms, cause)

    def saved(self, key: str) -> None:
        """The spool says: stored, read back, listed."""
        item = self._unsaved.pop(key, None)
        if item is not None:
            self._manifest.add(item.entry)

    @property
    def saved_ms(self) -> int:
        """Room time up to which nothing recorded exists only here; never goes back."""
        waiting = [item.entry["fragment"] for item in self._unsaved.values() if "fragment" in item.entry]
        starts = [fragment["from_ms"] for fragment in waiting]
        starts += [at for track in self._tracks.values() if (at := track.fragmenter.open_from_ms) is not None]
        self._saved_ms = max(self._saved_ms, min([self._manifest.saved_ms, *starts]))
        return self._saved_ms

    def manifest(self) -> dict[str, Any]:
        """What is saved, as it stands in the store."""
        return self._manifest.to_json()
