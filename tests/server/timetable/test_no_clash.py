"""Whatever administrators do, through the services and onto a real database: nobody and nothing in two places at once.
A refusal changes nothing; moving and moving back, or doing and undoing, restores it.

What is looked at is plain SQL: none of the code that plans decides here whether a plan is good.
"""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule, run_state_machine_as_test
from sqlalchemy import create_engine, event
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from server.accounts.models import Person, PostHeld
from server.classrooms import service as classrooms
from server.classrooms.models import Classroom, Receiver
from server.classrooms.schemas import ClassroomBody, ReceiverBody, SlotBody
from server.clock import CITY
from server.database import Database, make_engine
from server.encoders.models import RoomSource
from server.errors import TongtangError
from server.lessons import service as lessons
from server.lessons.changes import many, service, staffing
from server.lessons.changes.schemas import AssistantBody, CancelMany, MoveBody, RepayBody, RoomBody, TeacherBody
from server.lessons.schemas import LessonDraft, ReceiverDraft
from server.schools.models import District, Room, School, SchoolClass
from server.scope import SYSTEM
from server.timetable import publishing
from server.timetable.models import CalendarHorizon, Term

pytestmark = pytest.mark.slow

MONDAY = datetime(2026, 11, 16, 1, 0, tzinfo=UTC)
TERM = "2026-1"
LEADS, HEARS = ("lead1", "lead2", "lead3"), ("hear1", "hear2", "hear3", "hears")
"""Lead rooms 1 and 2 are filmed by one recording host; the last receiving room is the lead school's own."""
TEACHERS, AIDES = ("lin", "wang", "both"), ("zhao", "both")
TOWN_CLASSES, VILLAGE_CLASSES = ("town1", "town2"), ("village1",)
CLASSROOMS = ("music", "art")


def seeded(path: Path) -> None:
    """Two schools with so little of everything that plans get in each other's way."""
    engine = create_engine(f"sqlite:///{path}")
    with Session(engine) as session, session.begin():
        session.add(District(id="d", name="区", name_en="District", kind="ring"))
        session.flush()
        for code, name in (("2112000001", "town"), ("2112000002", "village")):
            plain = {"phase": "primary", "located_in": "d", "supervised_by": "d", "created_at": MONDAY}
            session.add(School(id=name, code=code, name=name, short_name=name, **plain))
        session.flush()
        at = {"hears": "town", **dict.fromkeys(LEADS, "town")}
        for name in (*LEADS, *HEARS):
            kind = "lead" if name in LEADS else "receiving"
            session.add(Room(id=name, school_id=at.get(name, "village"), name=name, kind=kind, pupils=20))
        for name in {*TEACHERS, *AIDES}:
            session.add(Person(id=name, login=name, name=name, school_id="town" if name != "zhao" else "village",
                               created_at=MONDAY))  # fmt: skip
        for number, name in enumerate((*TOWN_CLASSES, *VILLAGE_CLASSES), 1):
            school = name.rstrip("12")
            session.add(SchoolClass(id=name, school_id=school, phase="primary", entry_year=2024, number=number,
                                    pupils=20))  # fmt: skip
        session.add(Term(id=TERM, name="第一学期", starts_on=date(2026, 9, 1), ends_on=date(2026, 11, 27)))
        session.add(CalendarHorizon(id="city", known_until=date(2026, 12, 31)))
        session.flush()
        for name in {*TEACHERS, *AIDES}:
            for post in ("teacher", "assistant"):
                session.add(PostHeld(id=f"{name}{post}", person_id=name, post=post, starts_on=date(2026, 1, 1)))
        for name in LEADS[:2]:
            session.add(RoomSource(room_id=name, address="rtsp://10.1.2.3/live", secret="", changed_at=MONDAY))
        for name, lead, room in zip(CLASSROOMS, LEADS[1:], HEARS, strict=False):
            session.add(Classroom(id=name, name=f"{name}课", subject=name, grade=3, term=TERM, lead_room_id=lead,
                                  lead_teacher_id="lin", created_at=MONDAY))  # fmt: skip
            session.flush()
            session.add(Receiver(id=f"{name}1", classroom_id=name, position=1, room_id=room))
    engine.dispose()


# --- what is there, in plain SQL --------------------------------------------------------------------------------------

PLAN = """
SELECT id, state, starts_at, ends_at, teacher_id, lead_room_id, lead_class_id, moved_from, repays_id, cancelled_at,
  cancel_reason, title, kind, form FROM lessons ORDER BY id
"""
PLACES = (
    "SELECT lesson_id, id, starts_at, position, room_id, assistant_id, class_id, expected FROM receipts ORDER BY id"
)


@dataclass(frozen=True, slots=True)
class Seen:
    """The whole plan: rows of lessons and of their receiving rooms."""

    plan: list[tuple[Any, ...]]
    places: list[tuple[Any, ...]]


def claims(held: sqlite3.Connection) -> dict[str, tuple[str, str, set[str]]]:
    """Lesson -> (start, end, everybody and everything it has); a person is one person whatever they do there."""
    devices = dict(held.execute("SELECT room_id, address FROM room_sources"))
    found: dict[str, tuple[str, str, set[str]]] = {}
    running = "SELECT id, starts_at, ends_at, teacher_id, lead_room_id, lead_class_id FROM lessons "
    for id_, starts, ends, teacher, room, class_ in held.execute(running + "WHERE state <> 'cancelled'"):
        found[id_] = starts, ends, {f"person {teacher}", f"room {room}", f"class {class_}"}
    for id_, room, aide, class_ in held.execute("SELECT lesson_id, room_id, assistant_id, class_id FROM receipts"):
        if id_ in found:
            found[id_][2].update({f"person {aide}", f"room {room}", f"class {class_}"})
    for _, _, needs in found.values():
        needs |= {f"device {devices[room]}" for room in devices if f"room {room}" in needs}
        needs -= {"person None", "class None"}
    return found


def twice(held: sqlite3.Connection) -> list[tuple[str, str, set[str]]]:
    """Of every two lessons that overlap [start, end), what both have."""
    pairs = combinations(sorted(claims(held).items()), 2)
    return [
        (one, other, has & too)
        for (one, (start, end, has)), (other, (begin, stop, too)) in pairs
        if start < stop and begin < end and has & too
    ]


# --- what is done -----------------------------------------------------------------------------------------------------

times = st.builds(
    lambda day, step: datetime(2026, 11, 17 + day, 8, 0, tzinfo=CITY) + timedelta(minutes=10 * step),
    st.integers(0, 1),
    st.integers(0, 12),
)


def some(*names: str) -> st.SearchStrategy[str | None]:
    return st.none() | st.sampled_from(names)


village = st.tuples(st.sampled_from(HEARS[:3]), some("zhao"), some(*VILLAGE_CLASSES))
own = st.tuples(st.just(HEARS[3]), some("both", "wang"), some(*TOWN_CLASSES))
places = st.lists(village | own, min_size=1, max_size=2, unique_by=lambda one: one[0])
Place = tuple[str, str | None, str | None]
slots = st.lists(
    st.builds(
        SlotBody,
        weekday=st.integers(2, 3),
        period=st.integers(1, 2),
        weeks=st.sampled_from(["all", "all", "odd", "even"]),
        starts=st.integers(0, 8).map(lambda n: time(8 + n // 6, n % 6 * 10)),
        minutes=st.just(40),
    ),
    min_size=1,
    max_size=2,
)
Act = Callable[[AsyncSession, datetime], Awaitable[Any]]


class Administrators(RuleBasedStateMachine):
    made = Bundle("made")
    """Ids of lessons."""

    def __init__(self, template: Path) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        path = Path(self.folder.name) / "city.db"
        shutil.copy(template, path)
        engine = make_engine(f"sqlite+aiosqlite:///{path}")
        event.listen(engine.sync_engine, "connect", lambda held, _: held.cursor().execute("PRAGMA synchronous=OFF"))
        self.database, self.runner, self.now = Database(engine), asyncio.Runner(), MONDAY
        self.held = sqlite3.connect(path, isolation_level=None)
        self.batches: list[str] = []

    def teardown(self) -> None:
        self.runner.run(self.database.dispose())
        self.runner.close()
        self.held.close()
        self.folder.cleanup()

    def seen(self) -> Seen:
        return Seen(list(self.held.execute(PLAN)), list(self.held.execute(PLACES)))

    def does(self, act: Act) -> Any:
        """One request. None: it was refused, and then nothing has changed."""
        before, self.now = self.seen(), self.now + timedelta(seconds=1)

        async def request() -> Any:
            async with self.database.transaction() as session:
                return await act(session, self.now)

        try:
            return self.runner.run(request())
        except TongtangError:
            assert self.seen() == before, "a refusal changed something"
            return None

    def changes(self, act: Act, *, undo: bool) -> None:
        """A change of one lesson, kept for a later undo, or undone at once: then all is as it was."""
        before = self.seen()
        done = self.does(act)
        if done is None:
            return
        batch = (done[0] if isinstance(done, tuple) else done).batch
        if not undo:
            self.batches.append(batch)
            return
        assert self.does(lambda session, now: service.undo(session, SYSTEM, batch, now)), "its old place is free"
        assert self.seen() == before

    @invariant()
    def nobody_and_nothing_is_in_two_places(self) -> None:
        assert twice(self.held) == []

    # --- planning

    @rule(target=made, at=times, minutes=st.sampled_from([40, 45]), lead=st.sampled_from(LEADS), where=places,
          teacher=st.sampled_from(TEACHERS), lead_class=some(*TOWN_CLASSES))  # fmt: skip
    def plan(self, at: datetime, minutes: int, lead: str, where: list[Place], teacher: str, lead_class: Any) -> Any:
        draft = LessonDraft(
            title="一课", subject="music", grade=3, lead_room_id=lead, teacher_id=teacher, lead_class_id=lead_class,
            starts_at=at, ends_at=at + timedelta(minutes=minutes),
            receivers=[ReceiverDraft(room_id=room, assistant_id=aide, class_id=one) for room, aide, one in where],
        )  # fmt: skip
        lesson = self.does(lambda session, now: lessons.create_lesson(session, SYSTEM, draft, now))
        return multiple() if lesson is None else lesson.id

    @rule(name=st.sampled_from(CLASSROOMS), slots=slots, teacher=st.sampled_from(TEACHERS),
          lead=st.sampled_from(LEADS), where=places, lead_class=some(*TOWN_CLASSES))  # fmt: skip
    def retime(
        self, name: str, slots: list[SlotBody], teacher: str, lead: str, where: list[Place], lead_class: Any
    ) -> None:
        body = ClassroomBody(
            name=f"{name}课", subject=name, grade=3, term=TERM, lead_room_id=lead, lead_teacher_id=teacher,
            lead_class_id=lead_class, slots=slots,
            receivers=[ReceiverBody(room_id=room, assistant_id=aide, class_id=one) for room, aide, one in where],
        )  # fmt: skip
        self.does(lambda session, now: classrooms.edit(session, SYSTEM, name, body, now))

    @rule(target=made, names=st.lists(st.sampled_from(CLASSROOMS), unique=True, min_size=1), skip=st.booleans())
    def publish(self, names: list[str], skip: bool) -> Any:
        """The lessons come in the order of their slots: ids are chance, and a run must be like the next."""
        before = {row[0] for row in self.seen().plan}
        self.does(lambda session, now: publishing.publish(session, SYSTEM, TERM, names, now, without_clashing=skip))
        there = [id_ for (id_,) in self.held.execute("SELECT id FROM lessons ORDER BY origin, created_at")]
        return multiple(*(one for one in there if one not in before))

    @rule(target=made, lesson=made, at=times)
    def repay(self, lesson: str, at: datetime) -> Any:
        row = self.does(lambda session, now: service.repay(session, SYSTEM, lesson, RepayBody(starts_at=at), now))
        return multiple() if row is None else row.lesson_id

    # --- changing

    @rule(lesson=made, at=times, undo=st.booleans())
    def move(self, lesson: str, at: datetime, undo: bool) -> None:
        body = MoveBody(starts_at=at, reason="school_event")
        self.changes(lambda session, now: service.move(session, SYSTEM, lesson, body, now), undo=undo)

    @rule(lesson=made, at=times)
    def there_and_back(self, lesson: str, at: datetime) -> None:
        before = self.seen()
        starts = next(datetime.fromisoformat(row[2]).replace(tzinfo=UTC) for row in before.plan if row[0] == lesson)
        if self.does(lambda session, now: service.move(session, SYSTEM, lesson, MoveBody(starts_at=at), now)) is None:
            return
        back = MoveBody(starts_at=starts)
        assert self.does(lambda session, now: service.move(session, SYSTEM, lesson, back, now)), "its old place is free"
        assert self.seen() == before

    @rule(lesson=made, teacher=st.sampled_from(TEACHERS), undo=st.booleans())
    def substitute(self, lesson: str, teacher: str, undo: bool) -> None:
        body = TeacherBody(teacher_id=teacher)
        self.changes(lambda session, now: staffing.set_teacher(session, SYSTEM, lesson, body, now), undo=undo)

    @rule(lesson=made, room=st.sampled_from(HEARS), aide=some(*AIDES), undo=st.booleans())
    def assist(self, lesson: str, room: str, aide: str | None, undo: bool) -> None:
        body = AssistantBody(room_id=room, assistant_id=aide)
        self.changes(lambda session, now: staffing.set_assistant(session, SYSTEM, lesson, body, now), undo=undo)

    @rule(lesson=made, rooms=st.permutations(LEADS) | st.permutations(HEARS[:3]), undo=st.booleans())
    def other_room(self, lesson: str, rooms: list[str], undo: bool) -> None:
        body = RoomBody(room_id=rooms[0], to_room_id=rooms[1])
        self.changes(lambda session, now: staffing.set_room(session, SYSTEM, lesson, body, now), undo=undo)

    @rule(lesson=made, undo=st.booleans())
    def cancel(self, lesson: str, undo: bool) -> None:
        self.changes(lambda session, now: service.cancel(session, SYSTEM, lesson, "power", now), undo=undo)

    @rule(some=st.lists(made, min_size=1, max_size=4, unique=True))
    def cancel_many(self, some: list[str]) -> None:
        body = CancelMany(lessons=some, reason="weather")
        done = self.does(lambda session, now: many.cancel_many(session, SYSTEM, body, now))
        self.batches += [done.batch] if done else []

    @rule(which=st.integers(0, 30))
    def undo(self, which: int) -> None:
        if self.batches:
            batch = self.batches[which % len(self.batches)]
            self.does(lambda session, now: service.undo(session, SYSTEM, batch, now))


@pytest.fixture(scope="module")
def template(empty_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("no_clash") / "city.db"
    shutil.copy(empty_database, path)
    seeded(path)
    return path


def test_whatever_administrators_do_nothing_is_in_two_places(template: Path) -> None:
    """A step is a request to the database: a quarter of the usual examples."""
    often = settings(max_examples=settings().max_examples // 4, stateful_step_count=15)
    run_state_machine_as_test(lambda: Administrators(template), settings=often)
