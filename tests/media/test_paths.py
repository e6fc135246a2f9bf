"""Ways that change under a peer: another address, new ICE credentials; over real sockets, without a new join."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from media.parameters import IceCredentials
from media.transport.srtp import Arena
from media.wire import rtp
from tests.support.joining import Client, Identity, Node, join, running_node
from tests.support.media_hall import AUDIO_SSRC

pytestmark = pytest.mark.slow


@pytest.fixture
def node() -> Iterator[Node]:
    with running_node() as made:
        yield made


class Talk:
    """A teacher whose sound one room hears."""

    def __init__(self, node: Node) -> None:
        identity = Identity.generate()
        self.node, self.teacher, self.room = node, Client("teacher", identity), Client("room", identity)
        join(node, [self.teacher, self.room])
        node.ask("publish_sound", "teacher")
        node.ask("show_sound", "room")
        self.arena, self.number = Arena(256, None), 0

    def heard(self) -> int:
        """Of five packets the teacher sends."""
        for _ in range(5):
            self.number += 1
            packet = rtp.build(111, self.number, self.number * 960, AUDIO_SSRC, b"opus" * 10)
            self.arena.data[: len(packet)] = packet
            assert self.teacher.srtp is not None
            self.teacher.socket.send(self.arena.data[: self.teacher.srtp.protect(self.arena, 0, len(packet))])
        return len(self.wait(5))

    def wait(self, count: int) -> list[bytes]:
        found: list[bytes] = []
        end = time.monotonic() + 5
        while len(found) < count and time.monotonic() < end:
            found += [d for d in self.room.read() if not 192 <= d[1] <= 223]
            time.sleep(0.01)
        return found

    def close(self) -> None:
        self.teacher.close()
        self.room.close()


@pytest.fixture
def talk(node: Node) -> Iterator[Talk]:
    made = Talk(node)
    yield made
    made.close()


def settled(client: Client, check: bytes) -> bool:
    """Checks until it is answered."""
    client.socket.setblocking(True)
    client.socket.settimeout(5)
    client.socket.send(check)
    while (answer := client.socket.recv(2048))[0] > 3:
        pass
    client.socket.setblocking(False)
    return answer[:2] == b"\1\1"


def test_a_receiver_that_roams_is_followed(talk: Talk) -> None:
    assert talk.heard() == 5
    talk.room.roam()
    assert settled(talk.room, talk.room.request())
    assert talk.heard() == 5
    assert talk.node.ask("connected") == (2, [])


def test_a_publisher_that_roams_is_heard_on(talk: Talk) -> None:
    assert talk.heard() == 5
    talk.teacher.roam()
    assert settled(talk.teacher, talk.teacher.request())
    assert talk.heard() == 5


def test_an_address_that_proved_nothing_changes_nothing(talk: Talk) -> None:
    """A packet copied from elsewhere, or a check without the password, must not take the sound away."""
    stranger = Client("stranger", Identity.generate())
    stranger.answer, stranger.ice, stranger.target = talk.room.answer, talk.room.ice, talk.room.target
    assert talk.room.answer is not None
    forged = IceCredentials(talk.room.answer.ice.ufrag, "x" * 32)
    stranger.answer = type(talk.room.answer)(forged, talk.room.answer.fingerprint, ())
    stranger.socket.connect(talk.room.target)
    assert not settled(stranger, stranger.request())
    assert talk.heard() == 5
    stranger.close()


def test_ice_restart_goes_on_with_the_same_keys(talk: Talk) -> None:
    assert talk.heard() == 5
    talk.room.ice = IceCredentials("another", "q" * 24)
    old = talk.room.request()
    talk.room.answer = talk.node.ask("restart", "room", talk.room.ice)
    assert settled(talk.room, old) is False or talk.heard() == 5, "the old way serves until the new one is there"
    talk.room.roam()
    assert settled(talk.room, talk.room.request())
    assert talk.heard() == 5
    assert talk.node.ask("connected") == (2, []), "nobody joined anew"
