"""What a robot classroom does: raises its hand, answers questions, takes the floor, breaks off and comes back."""

from __future__ import annotations

from typing import Any

import pytest

from signaling.lobby import AWAY_SECONDS
from signaling.messages import Op, RoomPlace
from signaling.robots import AWAY, DROP_AFTER, GREETING, HAND_AFTER, Do, Drop, Robot, answer, places
from tests.support.liveroom import Bench
from tests.support.signaling import make_spec

ROBOT = "r-robot1"


def op(kind: str, by: str = "t-teacher", **body: Any) -> Op:
    return Op(seq=1, epoch=1, t=0, kind=kind, by=by, body=body)


def live_robot() -> Robot:
    robot = Robot(ROBOT, "t-teacher")
    robot.welcomed("waiting", [], 0.0)
    assert robot.turn(1000.0) == []
    robot.heard(op("lesson.open"), 1000.0)
    return robot


def test_it_greets_and_raises_its_hand_once_in_a_while() -> None:
    robot = live_robot()
    done = [(t, wish) for t in range(1000, 1080) for wish in robot.turn(float(t))]
    assert [(t - 1000, wish.kind) for t, wish in done if isinstance(wish, Do)] == [(3, "chat.say"), (15, "hand.raise")]
    assert isinstance(done[0][1], Do) and done[0][1].body == {"text": GREETING}
    assert done[1][1] == Do("hand.raise", {"pupil": None}) and HAND_AFTER == 15


def test_on_the_floor_it_keeps_its_hand_down() -> None:
    robot = live_robot()
    robot.heard(op("floor.give", seat=ROBOT), 1005.0)
    assert robot.on_floor
    hand = Do("hand.raise", {"pupil": None})
    assert hand not in [one for t in range(1005, 1080) for one in robot.turn(float(t))]
    robot.heard(op("floor.take", seat=None), 1080.0)
    assert not robot.on_floor


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("听得见吗？", "听到了：“听得见吗？”。这里是机器人教室。"),
        ("Can you hear me?", "Heard: “Can you hear me?”. This is the robot classroom."),
        ("请翻到第三页", None),
    ],
)
def test_it_answers_questions_of_the_teacher_in_their_language(text: str, said: str | None) -> None:
    robot = live_robot()
    robot.turn(1004.0)
    robot.heard(op("chat.say", by="r-room1", text=text), 1005.0)
    robot.heard(op("chat.say", text=text), 1005.0)
    assert robot.turn(1006.0) == []
    assert robot.turn(1007.5) == ([Do("chat.say", {"text": said})] if said else [])


def test_a_long_question_is_cut() -> None:
    assert len(answer("为什么" * 200 + "？")) < 100


def test_it_breaks_off_by_itself_and_when_told_and_says_that_it_is_back() -> None:
    robot = live_robot()
    found = [t - 1000 for t in range(1000, 1200) for wish in robot.turn(float(t)) if isinstance(wish, Drop)]
    assert found == [DROP_AFTER]
    robot.welcomed("live", [], 1210.0)
    assert [wish.kind for t in range(1210, 1214) for wish in robot.turn(float(t)) if isinstance(wish, Do)] == [
        "chat.say"
    ]
    robot.heard(op("robot.drill", seat="r-robot2"), 1220.0)
    assert not robot.turn(1220.5)
    robot.heard(op("robot.drill", seat=ROBOT), 1221.0)
    assert robot.turn(1221.0) == [Drop()]
    assert AWAY > AWAY_SECONDS, "the teacher sees the tile go dark"


def test_before_the_lesson_and_after_it_breaks_off_only_when_told() -> None:
    robot = Robot(ROBOT, "t-teacher")
    robot.welcomed("waiting", [], 0.0)
    robot.heard(op("robot.drill", seat=ROBOT), 1.0)
    assert robot.turn(1.0) == [Drop()]
    robot.welcomed("live", [ROBOT], 20.0)
    assert robot.on_floor
    robot.heard(op("lesson.close"), 30.0)
    assert not robot.on_floor and robot.turn(400.0) in ([], [Drop()])


def test_only_the_teacher_cuts_a_robots_line_and_only_a_robots() -> None:
    spec = make_spec()
    robot = RoomPlace(id="robot1", seat=ROBOT, name="机器人教室", school="陪练", lead=False, expected=0, robot=True)
    spec = spec.model_copy(update={"kind": "trial", "rooms": [*spec.rooms, robot]})
    assert places(spec) == [robot]
    bench = Bench.make(spec)
    teacher, room = bench.join("teacher"), bench.join("class", "room1")
    assert bench.code(teacher, "robot.drill", seat=ROBOT) == "floor_absent"
    bench.join("class", "robot1")
    assert bench.code(room, "robot.drill", seat=ROBOT) == "forbidden"
    assert bench.code(teacher, "robot.drill", seat="r-room1") == "seat_unknown"
    assert bench.code(teacher, "robot.drill", seat=ROBOT) == ""
