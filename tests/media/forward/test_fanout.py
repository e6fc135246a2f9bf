"""Who shows what: every link hangs on one stream at most, and is awaited by one at most."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from media.engine import Detail, LinkConfig, StreamConfig
from media.forward.fanout import Fanout
from media.forward.subscription import Subscription
from media.forward.track import InboundStream
from media.parameters import Codec, Extensions
from media.transport.outbox import Burst, Outbox

VP8, H264 = Codec("video/VP8", 96, 90000), Codec("video/H264", 102, 90000)
STREAMS = st.integers(0, 3)
OPERATION = st.one_of(
    st.tuples(st.just("switch"), st.integers(0, 2), st.one_of(st.none(), STREAMS), st.booleans()),
    st.tuples(st.just("frame"), STREAMS, st.booleans()),
    st.tuples(st.just("limit"), st.integers(0, 2), st.sampled_from(list(Detail))),
    st.tuples(st.just("remove"), STREAMS),
    st.tuples(st.just("add"), STREAMS),
)


class Web:
    """Four streams (one of another codec), three links that can be sent to."""

    def __init__(self) -> None:
        self.fanout = Fanout()
        self.links = []
        for handle in range(3):
            outbox = Outbox(Burst(None))
            outbox.ready = True
            config = LinkConfig("video", "0", (VP8,), Extensions(), handle, None)
            self.links.append(Subscription(handle, outbox, config, 0, 0, self.fanout.events))
        for handle in range(4):
            self.add(handle)
        self.number = 1 << 17

    def add(self, handle: int) -> None:
        if handle not in self.fanout.streams:
            config = StreamConfig("video", "1", H264 if handle == 3 else VP8, Extensions())
            self.fanout.streams[handle] = InboundStream(handle, 1, config)

    def remove(self, handle: int) -> None:
        if handle in self.fanout.streams:
            self.fanout.remove(self.fanout.streams[handle])

    def switch(self, link: int, stream: int | None, keep: bool) -> None:
        shown = self.fanout.switch(self.links[link], stream, keep, None)
        known = stream is None or (stream in self.fanout.streams and stream != 3)
        assert shown == known

    def limit(self, link: int, detail: Detail) -> None:
        self.fanout.limit(self.links[link], detail)

    def frame(self, stream: int, start: bool) -> None:
        self.number += 1
        if (found := self.fanout.streams.get(stream)) and (found.links or found.expected_by):
            self.fanout.add(found, (self.number, 3000 * self.number & 0xFFFFFFFF, 0, b"", b"x"), start)
            self.fanout.deliver()


@given(st.lists(OPERATION, max_size=60))
def test_the_web_holds(operations: list[Any]) -> None:
    web = Web()
    for name, *arguments in operations:
        getattr(web, name)(*arguments)
        streams = web.fanout.streams
        for link in web.links:
            assert [h for h, s in streams.items() if link in s.links] == ([] if link.stream is None else [link.stream])
            awaited = [] if link.upcoming is None else [link.upcoming.stream]
            assert [h for h, s in streams.items() if link in s.expected_by] == awaited
            assert all(s.links.count(link) <= 1 for s in streams.values())
            assert link.upcoming is None or link.upcoming.stream != link.stream
