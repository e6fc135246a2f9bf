"""One room's recorder at work: tracks in, fragments to the spool, key frames asked for, what is saved said.

The recorder itself is pure (``media/record/recorder.py``). Nothing here may stop a lesson: a full disk or a store
that is away is said to the teacher and otherwise borne.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from media.errors import MediaError
from media.record.objects import RecordedObject
from media.record.recorder import Recorder
from signaling.effects import Record
from signaling.facts import FactKind, lost
from signaling.live import LiveRoom
from signaling.net.mediaspool import MediaSpool
from signaling.net.plane import Plane

log = logging.getLogger("tongtang.recording")

RECORDING_FACT_SECONDS = 60.0
"""How often the ledger hears what is saved."""
MIN_GAP_MS = 100
"""Less than a frame or two is no gap."""
Note = Callable[[FactKind, dict[str, Any]], None]
"""(kind, data) of a RecordingSaved or RecordingGap fact."""


def spooled_until(folder: Path) -> dict[tuple[str, int], int]:
    """(lesson, epoch) -> room ms up to which an earlier process left fragments in its spool (``mediaspool.py``: a
    JSON line, then the object)."""
    found: dict[tuple[str, int], int] = {}
    for path in folder.glob("*.spool"):
        with suppress(OSError, ValueError, KeyError, TypeError), path.open("rb") as file:
            entry = json.loads(file.readline())["entry"]
            if fragment := entry.get("fragment"):
                room = (entry["lesson"], entry["epoch"])
                found[room] = max(found.get(room, 0), fragment["to_ms"])
    return found


class RoomRecording:
    def __init__(self, live: LiveRoom, plane: Plane, spool: MediaSpool, note: Note) -> None:
        self._recorder = Recorder(live.lesson, live.epoch, live.clock.zero_at_ms)
        self._recorder.set_origin(live.clock.origin())
        self._plane, self._spool, self._note = plane, spool, note
        self._tracks: dict[str, str] = {}
        """Name in the recording -> track id of the media plane."""
        self._sealing = False
        self._sealed = False
        self._bytes = 0
        self._noted_ms = 0
        self._noted_at = time.monotonic()
        self._gaps: set[tuple[int, int, str]] = set()
        self._missing: tuple[int, str] | None = None
        """(room ms, cause) since when nobody records, until the first track comes again."""

    @property
    def saved_ms(self) -> int:
        return self._recorder.saved_ms

    @property
    def stalled(self) -> bool:
        return self._spool.stalled

    def record(self, effect: Record) -> None:
        """Each source is one track of the recording, however often its publisher comes back."""
        if effect.parameters is None:
            if self._tracks.get(effect.source) == effect.track:
                del self._tracks[effect.source]
            self._plane.record(effect.track, None)
            return
        try:
            sink = self._recorder.add_track(effect.source, effect.source, effect.parameters.codec)
        except MediaError:
            log.exception("%s cannot be recorded", effect.track)
            return
        self._close_gap()
        self._sealing = False  # something comes again: the close was undone
        self._tracks[effect.source] = effect.track
        self._plane.record(effect.track, sink)

    def seal(self) -> None:
        """下课: everything to the store at once."""
        self._close_gap()
        self._sealing = True

    def missing_since(self, room_ms: int, cause: str) -> None:
        """Nobody recorded from then on; the gap ends when the first track comes again."""
        self._missing = (room_ms, cause)

    def _close_gap(self) -> None:
        if self._missing is not None:
            (since, cause), self._missing = self._missing, None
            until = int(self._recorder.room_ms(time.monotonic()))
            if until - since > MIN_GAP_MS:
                self._recorder.gap(since, until, cause)

    def saved(self, key: str) -> None:
        """The spool: stored, read back, listed."""
        self._recorder.saved(key)

    async def pump(self) -> None:
        now = time.monotonic()
        for item in self._ready(now):
            await self._keep(item)
        for name in self._recorder.wants_key_frame(now):
            if track := self._tracks.get(name):
                self._plane.request_key_frame(track, now)
        self._tell(now)

    def _ready(self, now: float) -> list[RecordedObject]:
        if self._sealing and not self._sealed:
            self._sealed, self._noted_at = True, -1e9
            return self._recorder.close(now)
        if self._sealed and not self._sealing:
            self._sealed = False
            return self._recorder.reopen()
        return self._recorder.take(now)

    async def _keep(self, item: RecordedObject) -> None:
        self._bytes += len(item.data)
        if (gap := item.entry.get("gap")) and lost(item.entry["track"], gap["cause"]):
            self._note_gap(gap["from_ms"], gap["to_ms"], gap["cause"])
        await self._spool.put(item.key, item.data, content_type=item.content_type, entry=item.entry)

    def _note_gap(self, from_ms: int, to_ms: int, cause: str) -> None:
        """One that stands in every track is one to the ledger."""
        if (from_ms, to_ms, cause) not in self._gaps:
            self._gaps.add((from_ms, to_ms, cause))
            self._note("RecordingGap", {"from_ms": from_ms, "to_ms": to_ms, "cause": cause})

    def _tell(self, now: float) -> None:
        saved_ms = self.saved_ms
        if saved_ms > self._noted_ms and now - self._noted_at >= RECORDING_FACT_SECONDS:
            self._noted_ms, self._noted_at = saved_ms, now
            self._note("RecordingSaved", {"saved_ms": saved_ms, "bytes": self._bytes})

    async def close(self) -> None:
        """The room leaves this node: what is in hand goes to the spool. The lesson itself may go on elsewhere."""
        for item in self._recorder.take(time.monotonic(), flush=True):
            await self._keep(item)
        if self.saved_ms > self._noted_ms:
            self._note("RecordingSaved", {"saved_ms": self.saved_ms, "bytes": self._bytes})
