"""Who gets which stream, and what came of it in this burst on its way there.

Rule: a packet waits here until the socket is drained, then goes out viewer by viewer: the one arena that they share
stays in the processor's cache.
"""

from __future__ import annotations

from media.engine import Detail, EngineEvent
from media.forward.backlog import Backlog
from media.forward.history import Media
from media.forward.subscription import Subscription, Upcoming, matching
from media.forward.track import InboundStream


class Fanout:
    """``streams`` by handle. ``events`` are what delivering led to; the engine tells them at its next occasion."""

    __slots__ = ("_waiting", "backlogs", "events", "now", "streams")

    def __init__(self) -> None:
        self.streams: dict[int, InboundStream] = {}
        self.events: list[EngineEvent] = []
        self.now = 0.0
        self.backlogs: dict[int, Backlog] = {}  # of the peers that are paced
        self._waiting: list[InboundStream] = []  # with packets not forwarded yet

    def add(self, stream: InboundStream, media: Media, start: bool) -> None:
        if not stream.burst:
            self._waiting.append(stream)
        stream.burst.append((media, start))

    def deliver(self) -> None:
        """Forwards what came in, and lets out what waited long enough."""
        streams, self._waiting = self._waiting, []
        for stream in streams:
            burst, stream.burst = stream.burst, []
            for link in stream.links:
                link.forward(burst, stream.history, self.now)
            for link in list(stream.expected_by):
                at = next((i for i, (_, start) in enumerate(burst) if start), None)
                if at is not None:
                    self.adopt(link, at_once=False)
                    link.forward(burst[at:], stream.history, self.now)
        for backlog in self.backlogs.values():
            if backlog.busy:
                backlog.release(self.now, self.events)

    def take_events(self) -> list[EngineEvent]:
        taken = self.events[:]
        self.events.clear()  # links hold this very list
        return taken

    # --- who shows what ----------------------------------------------------------------------------------------------

    def switch(self, link: Subscription, stream: int | None, keep: bool, delta: int | None) -> bool:
        new = self.streams.get(stream) if stream is not None else None
        codec = matching(link.config.codecs, new.config.codec) if new else None
        if new is None or codec is None:
            if not keep or stream is None:
                self.leave(link)
                link.show(None, None)
            return stream is None
        if keep and not link.gate.waiting:
            self._expect(link, new, Upcoming(new.handle, codec, delta))
        else:
            self.leave(link)
            link.show(new.handle, codec, delta)
            new.links.append(link)
        return True

    def _expect(self, link: Subscription, new: InboundStream, upcoming: Upcoming) -> None:
        self._call_off(link)
        if link.stream != new.handle:
            link.upcoming = upcoming
            new.expected_by.append(link)

    def _call_off(self, link: Subscription) -> None:
        other = self.streams.get(link.upcoming.stream) if link.upcoming else None
        if other is not None:
            other.expected_by.remove(link)
        link.upcoming = None

    def limit(self, link: Subscription, detail: Detail) -> None:
        if detail is Detail.NOTHING:
            self.adopt(link)  # what goes on is what was to come
        link.limit(detail)

    def adopt(self, link: Subscription, at_once: bool = True) -> None:
        """What the link shows gives way to what it was to show next; ``at_once``: also what still waits to go out."""
        coming = link.upcoming
        if coming is None:
            return
        self.leave(link)
        (link.show if at_once else link.follow)(coming.stream, coming.codec, coming.clock)
        self.streams[coming.stream].links.append(link)

    def leave(self, link: Subscription) -> None:
        self._call_off(link)
        shown = self.streams.get(link.stream) if link.stream is not None else None
        if shown is not None:
            shown.links.remove(link)

    def remove(self, stream: InboundStream) -> None:
        del self.streams[stream.handle]
        for link in stream.expected_by:
            link.upcoming = None
        for link in list(stream.links):
            if link.upcoming is not None:
                self.adopt(link)
            else:
                link.show(None, None)
