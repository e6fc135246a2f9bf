"""Who speaks in this room, for pages and ledger: the media plane's beginnings and ends, held against who can be heard.

Pure, like ``live.py`` which asks it. A closed microphone is silent, but a page that lies about it is nobody here.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from signaling.counting import Counter
from signaling.effects import Effect, Send
from signaling.lobby import Lobby
from signaling.messages import Speaking
from signaling.talk import Talk, Talks


@dataclass(slots=True)
class Voices:
    lobby: Lobby
    counter: Counter
    _talks: Talks = field(default_factory=Talks)
    _voiced: dict[str, str] = field(default_factory=dict)
    """Transport -> seat whose microphone hears a voice, whether anybody else does or not."""
    _said: list[str] = field(default_factory=list)

    def turn(self, transport: str, on: bool, heard: frozenset[str], now: float) -> list[Effect]:
        """The media plane: somebody begins or stops."""
        if on and (found := self.lobby.leg(transport)):
            seat = self._voiced[transport] = found[0].seat.id
            if seat in heard:
                self._talks.turn(seat, True, now)
        elif not on and (gone := self._voiced.pop(transport, None)):  # its connection may be gone already
            self._talks.turn(gone, False, now)
        return self.say()

    def say(self) -> list[Effect]:
        seats = self._talks.speaking()
        if seats == self._said:
            return []
        self._said = seats
        return [Send(self.lobby.connections(), Speaking(seats=seats))]

    def tell(self, connection: str) -> list[Effect]:
        """Somebody came: who speaks."""
        return [Send((connection,), Speaking(seats=self._said))] if self._said else []

    def tick(self, heard: frozenset[str], now: float) -> list[Effect]:
        heard &= self.lobby.present()
        for seat in heard.intersection(self._voiced.values()):  # the floor was given to somebody who speaks already
            self._talks.turn(seat, True, now)
        done = self._talks.tick(heard, now)
        return [*(self._count(talk) for talk in done), *self.say()]

    def _count(self, talk: Talk) -> Effect:
        return self.counter.spoke(talk.seat, self.lobby.seat(talk.seat), talk.since, talk.until)
