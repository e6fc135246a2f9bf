"""A robot classroom of a rehearsal, as a process: it comes, answers, echoes the teacher two seconds late, breaks off,
returns, and goes home with the rehearsal. The teacher here is a page and an encoder (WHIP); nobody sits anywhere."""

from __future__ import annotations

import asyncio
import json
from array import array
from pathlib import Path
from typing import Any

import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from signaling.messages import RoomPlace
from signaling.net.testcard import BLOCK, ECHO_BLOCKS, HEIGHT, NOTE_BLOCKS, NOTES, WIDTH, TestCard, Voice
from tests.signaling.net.test_mixer import Ear, Tone, negotiate, power
from tests.support.processes import children_of
from tests.support.signaling import NodeProcess, Page, fake_web, make_spec, node_process, until, wall_ms

ROBOT = "r-robot1"
TEACHER = 440


def test_its_picture_moves() -> None:
    card = TestCard("robot")
    first, second = card.picture(1_000_000.0), card.picture(1_000_007.0)
    assert first.size == (WIDTH, HEIGHT) and first.tobytes() != second.tobytes()


def tone(hertz: int, blocks: int, start: int = 0) -> list[array[int]]:
    import math

    samples = [round(8000 * math.sin(2 * math.pi * hertz * n / 48_000)) for n in range(BLOCK * (blocks + start))]
    return [array("h", samples[BLOCK * n : BLOCK * (n + 1)]) for n in range(start, blocks + start)]


async def said(voice: Voice, heard: list[array[int]]) -> list[array[int]]:
    found = []
    voice._began = -1e9  # all of it is due: no waiting in a test
    for block in heard:
        voice.hear(block)
        frame = await voice.recv()
        found.append(array("h", bytes(frame.planes[0])[: 2 * BLOCK]))
    return found


async def test_its_voice_is_two_notes_and_then_the_echo() -> None:
    voice = Voice()
    silent = await said(voice, tone(TEACHER, 20))
    assert not any(any(block) for block in silent), "nothing while it has not the floor"
    voice.on_floor = True
    spoken = await said(voice, tone(TEACHER, ECHO_BLOCKS + 2 * NOTE_BLOCKS, 20))
    for number, hertz in enumerate(NOTES):
        assert power(spoken[NOTE_BLOCKS * number + 2], hertz) > 0.005
    # From the second in which it has heard for two seconds, what it says is what was said then.
    late = array("h", b"".join(block.tobytes() for block in spoken[-10:]))
    assert power(late, TEACHER) > 0.005
    assert voice.take_heard() == 20 * (20 + ECHO_BLOCKS + 2 * NOTE_BLOCKS) and voice.take_heard() == 0


# --- the process ------------------------------------------------------------------------------------------------------


def robots_of(node: NodeProcess) -> list[int]:
    assert node.process is not None
    return [pid for pid, command in children_of(node.process.pid).items() if command.endswith("signaling.net.robot")]


class Watched:
    """A teacher's page that reads on by itself and can offer."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.answers: dict[str, str] = {}
        self.cards: dict[str, Any] = {}
        self.ops: list[dict[str, Any]] = []
        self.errors: list[str] = []
        self._asked = 0

    async def read(self) -> None:
        while True:
            message = json.loads(await self.page.socket.recv())
            if message["type"] == "answer":
                self.answers[message["id"]] = message["sdp"]
            elif message["type"] == "people":
                self.cards = {card["seat"]: card for card in message["people"]}
            elif message["type"] == "ops":
                self.ops += message["ops"]
            elif message["type"] == "error":
                self.errors.append(message["code"])

    async def do(self, kind: str, **body: Any) -> None:
        self._asked += 1
        await self.page.send({"type": "do", "id": f"x{self._asked}", "kind": kind, "body": body})

    def said(self, kind: str, by: str) -> list[dict[str, Any]]:
        return [op for op in self.ops if op["kind"] == kind and op["by"] == by]


async def sound_on_the_wire(pc: RTCPeerConnection, seconds: float) -> tuple[float, float]:
    """Packets and bits a second that this listener is sent."""

    async def received() -> tuple[int, int, float]:
        found = {one.type: one for one in (await pc.getStats()).values()}
        at = asyncio.get_running_loop().time()
        return found["inbound-rtp"].packetsReceived, found["transport"].bytesReceived, at

    first = await received()
    await asyncio.sleep(seconds)
    packets, octets, took = (b - a for a, b in zip(first, await received(), strict=True))
    return packets / took, 8 * octets / took


@pytest.mark.slow
async def test_a_rehearsal_with_a_robot(tmp_path: Path) -> None:
    spec = make_spec(starts_at_ms=wall_ms(), rooms=0)
    robot = RoomPlace(id="robot1", seat=ROBOT, name="机器人教室", school="陪练", lead=False, expected=0, robot=True)
    spec = spec.model_copy(update={"kind": "trial", "rooms": [*spec.rooms, robot]})
    lead, back = (RTCPeerConnection(RTCConfiguration(iceServers=[])) for _ in range(2))
    ear, listening = Ear(), []
    async with fake_web() as web, node_process(tmp_path / "node", web) as node:
        assert await node.put(spec) == 200
        await asyncio.sleep(1.0)
        assert robots_of(node) == [], "nobody there, nobody to practise with"
        teacher = Watched(await node.page(web.token("teacher")))
        listening.append(asyncio.create_task(teacher.read()))
        await until(lambda: "camera" in teacher.cards.get(ROBOT, {}).get("publishing", []), 90)
        assert len(robots_of(node)) == 1
        lead.addTrack(Tone(TEACHER))
        await negotiate(lead, f"{node.http}/whip/L1", web.token("teacher"))
        back.on("track", lambda track: listening.append(asyncio.ensure_future(ear.listen(track))))
        back.addTransceiver("audio", direction="recvonly")
        await back.setLocalDescription(await back.createOffer())
        sdp = back.localDescription.sdp
        await teacher.page.send({"type": "offer", "id": "o1", "pc": "sub", "sdp": sdp, "sources": {}})
        await until(lambda: "o1" in teacher.answers, 30)
        await back.setRemoteDescription(RTCSessionDescription(teacher.answers["o1"], "answer"))

        await teacher.do("lesson.open")
        await teacher.do("chat.say", text="听得见吗？")
        await until(lambda: any("听得见吗" in op["body"]["text"] for op in teacher.said("chat.say", ROBOT)), 60)
        await until(lambda: teacher.said("hand.raise", ROBOT), 60)
        await teacher.do("floor.give", seat=ROBOT)
        await until(lambda: ear.hears(TEACHER), 60)
        packets, bits = await sound_on_the_wire(back, 4.0)
        assert 15 < packets < 32 and 10_000 < bits < 45_000, (packets, bits)  # aiortc's own: 50, some 90 kbit/s

        await teacher.do("robot.drill", seat=ROBOT)
        await until(lambda: ROBOT not in teacher.cards, 60)
        await until(lambda: "camera" in teacher.cards.get(ROBOT, {}).get("publishing", []), 90)
        assert len(robots_of(node)) == 1

        await teacher.do("lesson.close")
        await until(lambda: robots_of(node) == [], 60)
        assert teacher.errors == []
        for task in listening:
            task.cancel()
        await asyncio.gather(lead.close(), back.close())
