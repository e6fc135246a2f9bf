"""The whole municipality at its real size: 16 districts, 1,500 schools, 6,000 rooms, 120,000 people, a term of
30 synchronous classrooms plus 10,000 weekly slots, their 200,000 dated lessons, and 10,000 ordinary hours (本校课表).

Deterministic but for the day it is made: the term lies around today, so that pages have a week to show. No clashes.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

from server.accounts.models import Person, PostHeld
from server.audit.models import AuditEntry
from server.classrooms.models import Classroom, Receiver
from server.clock import CITY
from server.indicators.models import FillState, RollUp
from server.lessons.models import Invitation, Lesson, Receipt
from server.notices.models import Notice
from server.ordinary.models import OrdinarySlot
from server.participation.models import Attendance
from server.recordings.models import Recording
from server.schools.models import (
    Device,
    District,
    Enrolment,
    Gap,
    Pairing,
    Room,
    School,
    SchoolClass,
    SettlementCode,
)
from server.timetable.models import CalendarHorizon, Term, WeeklySlot
from tests.support.bulk import Bulk, Row
from tests.support.municipality_hours import ordinary_hours
from tests.support.municipality_names import DISTRICTS, FIRST_POSTS, GIVEN, KINDS, PERIODS, SUBJECTS, SURNAMES

WEEKS_BEFORE, WEEKS_AFTER = 11, 8
DAYS = 5
TERM, NEXT_TERM = "2026-1", "2026-2"


@dataclass(frozen=True)
class Size:
    """1 is the municipality; everything that can grow does."""

    factor: float = 1.0

    def of(self, full: int) -> int:
        return max(2, round(full * self.factor))


@dataclass
class Known:
    """What a bench needs to ask for something: ids, by what they are."""

    today: date
    people: dict[str, str] = field(default_factory=dict)
    """post -> somebody's id"""
    school: str = ""
    village: str = ""
    lead_room: str = ""
    room: str = ""
    classroom: str = ""
    lesson: str = ""
    """Taught today by ``people["teacher"]``."""
    past: str = ""
    person: str = ""
    rooms: list[str] = field(default_factory=list)
    slots: list[tuple[str, str, list[str], datetime]] = field(default_factory=list)
    """(teacher, lead room, receiving rooms, start) of some lessons ahead."""
    counts: dict[str, int] = field(default_factory=dict)


class Municipality:
    def __init__(self, size: Size, now: datetime) -> None:
        self.size, self.now = size, now
        self.today = now.astimezone(CITY).date()
        self.first = self.today - timedelta(days=self.today.weekday() + 7 * WEEKS_BEFORE)
        self.last = self.first + timedelta(days=7 * (WEEKS_BEFORE + 1 + WEEKS_AFTER) - 1)
        self.random = random.Random(20260901)
        self.known = Known(self.today)
        self._number = count()

    def id(self) -> str:
        return f"{self.random.getrandbits(80):020x}"

    def fill(self, url: str) -> Known:
        bulk = Bulk(url)
        for part in (self._places, self._people, self._classrooms, self._lessons, self._marks):
            part(bulk)
        bulk.close()
        self.known.counts["rows"] = bulk.rows
        return self.known

    # --- places -------------------------------------------------------------------------------------------------------

    def _places(self, bulk: Bulk) -> None:
        bulk.add(District, ({"id": i, "name": n, "name_en": e, "kind": k} for i, n, e, k in DISTRICTS))
        after, end = (self.last + timedelta(days=days) for days in (36, 176))
        bulk.add(Term, [{"id": TERM, "name": "第一学期", "starts_on": self.first, "ends_on": self.last}])
        bulk.add(Term, [{"id": NEXT_TERM, "name": "第二学期", "starts_on": after, "ends_on": end}])
        bulk.add(CalendarHorizon, [{"id": "city", "known_until": self.last + timedelta(days=60)}])
        self.schools = [self._school(number) for number in range(self.size.of(1500))]
        self.urban = [one for one in self.schools if not one["village"]]
        self.villages = [one for one in self.schools if one["village"]]
        bulk.add(School, self.schools)
        bulk.add(SettlementCode, (self._settled(one) for one in self.schools))
        bulk.add(Enrolment, (row for one in self.schools for row in self._enrolled(one)))
        self.rooms = [self._room(one, place) for one in self.schools for place in range(4)]
        bulk.add(Room, self.rooms)
        bulk.add(Device, (self._device(one) for one in self.rooms if one["kind"] == "receiving"))
        self.leads = [one for one in self.rooms if one["kind"] == "lead"]
        self.receiving = [one for one in self.rooms if one["kind"] == "receiving"]
        bulk.add(SchoolClass, (row for one in self.schools for row in self._classes(one)))
        bulk.add(Pairing, (self._pairing(number, one) for number, one in enumerate(self.villages)))
        bulk.add(Gap, (row for one in self.villages for row in self._gaps(one)))
        self.known.school, self.known.village = self.urban[0]["id"], self.villages[0]["id"]
        self.known.rooms = [one["id"] for one in self.receiving[:200]]
        self.known.counts |= {"schools": len(self.schools), "rooms": len(self.rooms)}

    def _school(self, number: int) -> Row:
        district = DISTRICTS[number % len(DISTRICTS)]
        phase = ("primary", "primary", "junior", "nine_year")[number // 16 % 4]
        name = f"{district[1]}第{number // 16 + 1}{KINDS[phase]}"
        village = number // 16 % 3 != 0
        return {
            "id": self.id(), "code": f"{'31' if phase == 'junior' else '21'}12{number:06d}", "name": name,
            "short_name": name[-12:], "phase": phase, "located_in": district[0], "supervised_by": district[0],
            "key_school": not village, "weak": village, "phone": f"022-{number:08d}", "created_at": self.now,
            "village": village,
        }  # fmt: skip

    def _settled(self, one: Row) -> Row:
        code = "220" if one["village"] else "111"
        return {"id": self.id(), "school_id": one["id"], "code": code, "starts_on": date(2020, 6, 30)}

    def _phases(self, one: Row) -> tuple[str, ...]:
        return ("primary", "junior") if one["phase"] == "nine_year" else (one["phase"],)

    def _enrolled(self, one: Row) -> Iterator[Row]:
        for year in (2024, 2025, 2026):
            for phase in self._phases(one):
                yield {
                    "id": self.id(), "school_id": one["id"], "school_year": year, "phase": phase,
                    "pupils": 300 + self.random.randrange(900), "teachers": 60,
                }  # fmt: skip

    def _room(self, school: Row, place: int) -> Row:
        lead = not school["village"] and place < 2
        name = f"录播教室{place + 1}" if lead else f"{place + 1}号听讲教室"
        kind = "lead" if lead else "receiving"
        code = f"R{next(self._number):08d}"
        return {
            "id": self.id(), "school_id": school["id"], "name": name, "kind": kind, "pupils": 36, "code": code,
            "equipment": ["screen"],
        }  # fmt: skip

    def _device(self, room: Row) -> Row:
        seen = self.now - timedelta(minutes=self.random.randrange(600))
        return {"id": self.id(), "room_id": room["id"], "bound_at": self.now, "seen_at": seen, "created_at": self.now}

    def _classes(self, school: Row) -> Iterator[Row]:
        for phase in self._phases(school):
            for entry in range(2021 if phase == "primary" else 2024, 2027):
                for number in (1, 2):
                    yield {
                        "id": self.id(), "school_id": school["id"], "phase": phase, "entry_year": entry,
                        "number": number, "pupils": 36,
                    }  # fmt: skip

    def _pairing(self, number: int, village: Row) -> Row:
        lead = self.urban[number % len(self.urban)]["id"]
        return {
            "id": self.id(), "lead_school_id": lead, "village_school_id": village["id"], "kind": "one_to_many",
            "starts_on": date(2025, 9, 1),
        }  # fmt: skip

    def _gaps(self, village: Row) -> Iterator[Row]:
        for grade, subject in ((3, "music"), (4, "art"), (5, "english")):
            yield {
                "id": self.id(), "school_id": village["id"], "term": TERM, "grade": grade, "subject": subject,
                "declared_on": self.first,
            }  # fmt: skip

    # --- people -------------------------------------------------------------------------------------------------------

    def _people(self, bulk: Bulk) -> None:
        self.teachers: dict[str, list[str]] = {}
        self.assistants: dict[str, list[str]] = {}
        posts: list[Row] = []
        bulk.add(Person, self._everybody(self.size.of(120_000), posts))
        bulk.add(PostHeld, posts)
        self.known.counts["people"] = self.size.of(120_000)

    def _person(self, number: int, school: str | None) -> Row:
        pick = self.random.choice
        return {
            "id": self.id(), "login": f"t{number:07d}", "name": pick(SURNAMES) + pick(GIVEN) + pick(GIVEN),
            "school_id": school, "phone": f"138{number:08d}", "subject": pick(SUBJECTS), "created_at": self.now,
        }  # fmt: skip

    def _everybody(self, people: int, posts: list[Row]) -> Iterator[Row]:
        each = people // len(self.schools)
        for school in self.schools:
            for place in range(each):
                row = self._person(next(self._number), school["id"])
                post = FIRST_POSTS[place] if place < len(FIRST_POSTS) else "teacher"
                at = {"assistant": self.assistants, "teacher": self.teachers}.get(post)
                if at is not None:
                    at.setdefault(school["id"], []).append(row["id"])
                self.known.people.setdefault(post, row["id"])
                if school["village"] and post == "school_admin":
                    self.known.people.setdefault("village_admin", row["id"])
                posts.append(self._post(row["id"], post))
                yield row
        above = [("city_admin", None), ("evaluator", None), *(("district_admin", one[0]) for one in DISTRICTS)]
        for post, district in above:
            row = self._person(next(self._number), None)
            self.known.people.setdefault(post, row["id"])
            posts.append(self._post(row["id"], post, district))
            yield row

    def _post(self, person: str, post: str, district: str | None = None) -> Row:
        return {
            "id": self.id(), "person_id": person, "post": post, "district_id": district, "starts_on": date(2025, 9, 1)
        }  # fmt: skip

    # --- the term -----------------------------------------------------------------------------------------------------

    def _classrooms(self, bulk: Bulk) -> None:
        """The 30 that count, with four lessons a week; the others with three: 10,000 slots."""
        self.classrooms: list[Row] = []
        self.received: dict[str, list[Row]] = {}
        self.slots: list[Row] = []
        taken: set[tuple[str, int]] = set()
        ordinary = self.size.of(10_000)
        while (number := len(self.classrooms)) < 30 or len(self.slots) < 120 + ordinary:
            self._classroom(number, 4 if number < 30 else 3, taken)
        bulk.add(Classroom, self.classrooms)
        bulk.add(Receiver, (row for rows in self.received.values() for row in rows))
        bulk.add(WeeklySlot, self.slots)
        self.known.classroom = self.classrooms[0]["id"]
        bulk.add(OrdinarySlot, ordinary_hours(self.classrooms, self.slots, self.rooms, ordinary, self.id))
        self.known.counts |= {"classrooms": len(self.classrooms), "slots": len(self.slots)}

    def _classroom(self, number: int, weekly: int, taken: set[tuple[str, int]]) -> None:
        lead = self.leads[number % len(self.leads)]
        staff = self.teachers[lead["school_id"]]
        id_, turn = self.id(), number // len(self.leads)
        teacher = staff[(2 * turn + number % 2) % len(staff)]
        cells = [cell % (DAYS * len(PERIODS)) for cell in range(turn * weekly * 8, (turn + 1) * weekly * 8, 8)]
        self.classrooms.append({
            "id": id_, "name": f"{'同步' if number < 30 else '校际'}课堂{number:05d}", "subject": SUBJECTS[number % 10],
            "grade": 1 + number % 9, "lead_room_id": lead["id"], "lead_teacher_id": teacher, "term": TERM,
            "accepted_on": self.first if number < 30 else None, "created_at": self.now,
        })  # fmt: skip
        rooms = self._free_rooms(number, cells, taken)
        self.received[id_] = [
            {
                "id": self.id(), "classroom_id": id_, "position": place, "room_id": room["id"],
                "assistant_id": self.assistants[room["school_id"]][place] if number < 400 else None,
            }
            for place, room in enumerate(rooms, 1)
        ]  # fmt: skip
        for cell in cells:
            day, period = cell % DAYS, cell // DAYS
            weekday = (self.today + timedelta(days=day)).isoweekday()
            self.slots.append({
                "id": self.id(), "classroom_id": id_, "weekday": weekday, "period": period + 1,
                "starts": PERIODS[period], "minutes": 40,
            })  # fmt: skip

    def _free_rooms(self, number: int, cells: list[int], taken: set[tuple[str, int]]) -> list[Row]:
        found: list[Row] = []
        for step in range(len(self.receiving)):
            room = self.receiving[(number * 2 + step) % len(self.receiving)]
            if all((room["id"], cell) not in taken for cell in cells):
                found.append(room)
                taken.update((room["id"], cell) for cell in cells)
            if len(found) == 2:
                break
        return found

    # --- lessons ------------------------------------------------------------------------------------------------------

    def _lessons(self, bulk: Bulk) -> None:
        by_id = {one["id"]: one for one in self.classrooms}
        lessons = [
            self._lesson(by_id[slot["classroom_id"]], slot, week)
            for week in range(WEEKS_BEFORE + 1 + WEEKS_AFTER)
            for slot in self.slots
        ]
        bulk.add(Lesson, lessons)
        receipts = [
            {
                "id": self.id(), "lesson_id": one["id"], "starts_at": one["starts_at"], "room_id": row["room_id"],
                "position": row["position"], "assistant_id": row["assistant_id"], "expected": 36,
            }
            for one in lessons
            for row in self.received[one["classroom_id"]]
        ]  # fmt: skip
        bulk.add(Receipt, receipts)
        self.held = [one for one in lessons if one["state"] == "registered"]
        self._remember(lessons)
        bulk.add(Recording, (self._recording(one) for one in self.held[::10]))
        states = {one["id"]: one for one in self.held[-len(self.held) // 4 :]}
        attended = (row for row in receipts if row["lesson_id"] in states)
        bulk.add(Attendance, (self._attended(row, states[row["lesson_id"]]) for row in attended))
        self.known.counts |= {"lessons": len(lessons), "receipts": len(receipts)}

    def _lesson(self, classroom: Row, slot: Row, week: int) -> Row:
        day = self.first + timedelta(days=7 * week + slot["weekday"] - 1)
        start = datetime.combine(day, slot["starts"], CITY).astimezone(UTC)
        done = start + timedelta(minutes=40) < self.now
        return {
            "id": self.id(), "classroom_id": classroom["id"], "title": f"第{week + 1}课 {classroom['name'][-5:]}",
            "subject": classroom["subject"], "grade": classroom["grade"],
            "state": "registered" if done else "published",
            "lead_room_id": classroom["lead_room_id"], "teacher_id": classroom["lead_teacher_id"], "starts_at": start,
            "ends_at": start + timedelta(minutes=40), "opened_at": start if done else None,
            "closed_at": start + timedelta(minutes=40) if done else None, "created_at": self.now,
            "origin": f"{classroom['id']}/{day:%Y%m%d}/{slot['period']}",
        }  # fmt: skip

    def _remember(self, lessons: list[Row]) -> None:
        today = [one for one in lessons if one["starts_at"].astimezone(CITY).date() == self.today]
        official = {one["id"] for one in self.classrooms[:30]}
        mine = next(one for one in today if one["classroom_id"] in official)
        self.known.lesson, self.known.people["lead"] = mine["id"], mine["teacher_id"]
        self.known.lead_room, self.known.person = mine["lead_room_id"], mine["teacher_id"]
        self.known.past = self.held[-1]["id"]
        self.known.room = self.received[mine["classroom_id"]][0]["room_id"]
        ahead = [one for one in lessons if one["starts_at"] > self.now + timedelta(days=1)]
        for one in ahead[:: max(1, len(ahead) // 400)]:
            rooms = [row["room_id"] for row in self.received[one["classroom_id"]]]
            self.known.slots.append((one["teacher_id"], one["lead_room_id"], rooms, one["starts_at"]))

    def _recording(self, lesson: Row) -> Row:
        return {
            "lesson_id": lesson["id"], "state": "closed", "last_epoch": 1, "duration_ms": 2_400_000, "bytes": 10**8,
            "updated_at": lesson["ends_at"],
        }  # fmt: skip

    def _attended(self, receipt: Row, lesson: Row) -> Row:
        return {
            "id": f"{receipt['lesson_id']}/{receipt['room_id']}", "lesson_id": receipt["lesson_id"],
            "room_id": receipt["room_id"], "planned_ms": 2_400_000, "delivered_ms": 2_400_000, "online_ms": 2_400_000,
            "heard_ms": 2_350_000, "heard": [], "online": [], "signed_in_at": lesson["starts_at"], "expected": 36,
            "present": 35, "hands": 4, "effective": True, "reason": None, "fact_count": 300,
            "computed_at": lesson["ends_at"],
        }  # fmt: skip

    # --- what a term leaves behind ------------------------------------------------------------------------------------

    def _marks(self, bulk: Bulk) -> None:
        periods = sorted({f"{self.today - timedelta(days=31 * n):%Y-%m}" for n in range(3)})
        bulk.add(RollUp, (row for period in periods for row in self._rolled(period)))
        bulk.add(FillState, ({"period": period, "state": "done", "computed_at": self.now} for period in periods))
        bulk.add(Invitation, (self._invited(number, one) for number, one in enumerate(self.villages)))
        admins = [self.known.people["city_admin"], self.known.people["lead"], self.known.people["school_admin"]]
        bulk.add(Notice, (self._noticed(person, number) for person in admins for number in range(200)))
        bulk.add(AuditEntry, (self._entry(number) for number in range(self.size.of(200_000))))

    def _rolled(self, period: str) -> Iterator[Row]:
        parts = [("city", "city"), *(("district", one[0]) for one in DISTRICTS)]
        parts += [("school", one["id"]) for one in self.schools] + [("lead", one["id"]) for one in self.urban]
        parts += [("room", one["id"]) for one in self.receiving]
        for level, part in parts:
            for code, share in (("L1", 0.93), ("L3", 55.0), ("L3P", 60.0), ("A1", 0.98)):
                yield {
                    "id": self.id(), "code": code, "period": period, "level": level, "part": part,
                    "numerator": share * 100, "denominator": 100.0 if share < 1 else 1.0, "computed_at": self.now,
                }  # fmt: skip

    def _invited(self, number: int, village: Row) -> Row:
        classroom = self.classrooms[number % len(self.classrooms)]
        return {
            "id": self.id(), "school_id": village["id"], "classroom_id": classroom["id"],
            "asked_at": self.now, "due_on": self.today, "answer": ("pending", "confirmed")[number % 2],
        }  # fmt: skip

    def _noticed(self, person: str, number: int) -> Row:
        return {
            "id": self.id(), "person_id": person, "key": "moved", "href": "/desk",
            "at": self.now - timedelta(hours=number),
            "words": {"title": "音乐", "old_at": self.now.isoformat(), "starts_at": self.now.isoformat()},
        }  # fmt: skip

    def _entry(self, number: int) -> Row:
        school: dict[str, Any] = self.schools[number % len(self.schools)]
        return {
            "id": self.id(), "at": self.now - timedelta(minutes=number), "act": "change", "kind": "lessons",
            "row_id": "x", "person_id": self.known.people["school_admin"], "school_id": school["id"],
            "district_id": school["supervised_by"], "told": {"title": ["旧", "新"]},
        }  # fmt: skip
