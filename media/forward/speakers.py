"""Who speaks in a room, from the audio levels that browsers write beside each packet (RFC 6464). Pure.

Rule: every track is judged against its own quiet, so that a fan is no speaker; hysteresis both ways, so that neither a
cough begins nor a breath ends a speech. One of those who speak leads: who led before, until somebody else is clearly
louder. Browsers set the V bit with nearly every packet, so it says nothing here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from media.engine import Engine, Loudness
from media.forward.registry import Registry
from media.forward.router import PublishedTrack
from media.parameters import Speaking

LISTEN_EVERY = 0.2  # seconds between two looks: a syllable

SILENT = 127.0  # -dBov: nothing at all, or a closed microphone
AUDIBLE = 52.0  # -dBov: quieter is no voice at a classroom's microphone, whatever its quiet is
ABOVE_QUIET = 9.0  # dB over the track's own quiet
QUIET_RISES = 0.6  # dB a second: a fan that was switched on is quiet after half a minute
LOUDEST_QUIET = 36.0  # -dBov: what is louder than this plus 9 dB is a voice, however long it goes on
BEGINS = 0.4  # seconds of voice that make a speaker: a cough or a chair is shorter
ENDS = 1.2  # seconds without voice that end one: a breath is shorter
CLEARLY_LOUDER = 6.0  # dB by which another one takes the lead from one who still speaks
SMOOTHING = 0.3


@dataclass(slots=True)
class Voice:
    """One track. ``level`` is smoothed, in -dBov: smaller is louder."""

    level: float = SILENT
    quiet: float = AUDIBLE + ABOVE_QUIET
    speaking: bool = False
    changed: float = 0.0
    """Seconds of voice while it does not speak, of quiet while it does."""

    def hear(self, heard: Loudness | None, passed: float) -> bool | None:
        """True: begins to speak, False: has stopped, None: as before."""
        level = heard.level_sum / heard.packets if heard is not None and heard.packets else SILENT
        self.level += SMOOTHING * (level - self.level) if level > self.level else 0.7 * (level - self.level)
        voice = level < AUDIBLE and level < self.quiet - ABOVE_QUIET
        self._learn(level, passed)
        if voice == self.speaking:
            self.changed = max(0.0, self.changed - passed)
            return None
        self.changed += passed
        if self.changed < (ENDS if self.speaking else BEGINS) - 1e-6:
            return None
        self.speaking, self.changed = not self.speaking, 0.0
        return self.speaking

    def _learn(self, level: float, passed: float) -> None:
        """Quiet is what it is between the words: down to it at once, up from it slowly. Digital silence tells nothing
        of the room."""
        if level >= SILENT:
            return
        if level > self.quiet:
            self.quiet += 0.5 * (level - self.quiet)
        else:
            self.quiet = max(level, self.quiet - QUIET_RISES * passed, LOUDEST_QUIET)


@dataclass(slots=True)
class Speakers:
    """One room's tracks."""

    leader: str | None = None
    """Who spoke last, as long as nobody else does."""
    _voices: dict[str, Voice] = field(default_factory=dict)

    def speaks(self, track: str) -> bool:
        voice = self._voices.get(track)
        return voice is not None and voice.speaking

    def hear(self, heard: dict[str, Loudness | None], passed: float) -> list[tuple[str, bool]]:
        """What was heard of each track in the last ``passed`` seconds; (track, speaks) of those who began or ended."""
        news = [(track, False) for track in self._gone(heard)]
        for track, loudness in heard.items():
            turned = self._voices.setdefault(track, Voice()).hear(loudness, passed)
            if turned is not None:
                news.append((track, turned))
        self._lead()
        return news

    def _gone(self, heard: Iterable[str]) -> list[str]:
        gone = set(self._voices) - set(heard)
        if self.leader in gone:
            self.leader = None
        return sorted(track for track in gone if self._voices.pop(track).speaking)

    def _lead(self) -> None:
        speaking = {track: voice for track, voice in self._voices.items() if voice.speaking}
        if not speaking:
            return
        loudest = min(speaking, key=lambda track: (speaking[track].level, track))
        held = speaking.get(self.leader or "")
        if held is None or speaking[loudest].level < held.level - CLEARLY_LOUDER:
            self.leader = loudest


class Ears:
    """Asks the engine how loud every sound track was and tells who speaks."""

    def __init__(self, registry: Registry, engine: Engine) -> None:
        self._registry, self._engine = registry, engine
        self._rooms: dict[str, Speakers] = {}
        self._owners: dict[str, str] = {}
        """Track -> transport, of all that were heard last time."""
        self._listened = 0.0

    def leader(self, router: str) -> str | None:
        """The track of the one who speaks, or spoke last."""
        room = self._rooms.get(router)
        return room.leader if room else None

    def speaks(self, router: str, track: str) -> bool:
        room = self._rooms.get(router)
        return room is not None and room.speaks(track)

    def listen(self, now: float) -> None:
        passed = min(2 * LISTEN_EVERY, now - self._listened)
        self._listened = now
        heard: dict[str, dict[str, Loudness | None]] = {router: {} for router in self._rooms}
        owners = dict(self._owners)
        self._owners = {}
        for track in self._sounds():
            heard.setdefault(track.router, {})[track.name] = self._engine.loudness(track.stream)
            owners[track.name] = self._owners[track.name] = track.transport
        for router, tracks in heard.items():
            room = self._rooms.setdefault(router, Speakers())
            for name, on in room.hear(tracks, passed):
                self._registry.events.append(Speaking(router, owners[name], name, on))
            if not tracks:
                del self._rooms[router]

    def _sounds(self) -> Iterator[PublishedTrack]:
        """What a shared screen plays is nobody's voice."""
        return (one for one in self._registry.tracks.values() if one.parameters.source == "mic")
