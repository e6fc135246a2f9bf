"""Thirty synchronous classrooms with a term's timetable, its past and coming lessons, and the one that starts in
minutes.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache

from server.accounts.models import Person, PostHeld
from server.classes.grades import entry_year
from server.classrooms.models import Classroom, Receiver
from server.clock import CITY, city_date
from server.demo.city import Place, paired, room, teaches
from server.demo.people import person, person_id, post
from server.ids import named_id
from server.lessons.models import Invitation, Lesson, Receipt
from server.schools.models import Room
from server.timetable.models import BellPeriod, BellSchedule, CalendarDay, Term, WeeklySlot
from server.timetable.national import known_days
from server.timetable.terms import SpecialDay, days_of, lesson_span, school_days_after, school_year

WEEKS_BACK = 8
WEEKS_AHEAD = 3
SOON = timedelta(minutes=4)
"""From the first run until the lesson one can teach at once."""

PRIMARY_BELLS = (time(8, 20), time(9, 15), time(10, 10), time(11, 0), time(14, 0), time(14, 55))
JUNIOR_BELLS = (time(8, 0), time(8, 55), time(10, 0), time(10, 55), time(14, 0), time(14, 55))

NEW_YEAR = date(2027, 1, 1)
"""Known to everybody, if not yet to the calendar: the demo says so by hand."""

TITLES: dict[tuple[str, str], tuple[str, ...]] = {
    ("music", "primary"): (
        "茉莉花",
        "让我们荡起双桨",
        "小小少年",
        "牧歌",
        "摇篮曲",
        "采茶舞曲",
        "森林狂想曲",
        "我的祖国",
    ),
    ("music", "junior"): ("黄河大合唱", "长江之歌", "二泉映月", "彩云追月", "春江花月夜"),
    ("english", "primary"): ("My School Day", "The Weather", "At the Market", "Our Festivals", "My Family Tree"),
    ("english", "junior"): ("Healthy Food", "Travelling by Train", "A Letter to a Friend", "Great Inventions"),
    ("art", "primary"): ("水墨游戏", "剪纸中的吉祥", "家乡的桥", "色彩的冷与暖", "杨柳青年画", "泥塑小动物"),
    ("art", "junior"): ("青绿山水", "校园一角写生", "传统纹样设计", "版画的刀痕"),
    ("science", "primary"): ("声音的传播", "种子的萌发", "简单电路", "岩石与土壤", "月相变化", "热胀冷缩"),
    ("maths", "primary"): ("平行四边形的面积", "小数的意义", "简易方程", "条形统计图", "轴对称图形"),
    ("maths", "junior"): ("一次函数的图象", "勾股定理", "二元一次方程组", "数据的波动", "相似三角形"),
    ("chinese", "primary"): ("观潮", "少年闰土", "古诗三首", "记一次游戏", "桂花雨"),
    ("chinese", "junior"): ("背影", "岳阳楼记", "苏州园林", "白杨礼赞"),
    ("physics", "junior"): ("光的反射", "牛顿第一定律", "浮力", "欧姆定律", "压强", "杠杆"),
    ("history", "junior"): ("丝绸之路", "贞观之治", "辛亥革命", "五四运动", "活字印刷", "郑和下西洋"),
    ("it", "primary"): ("认识算法", "信息的编码", "在线协作", "数据与图表", "人机对话", "网络安全小卫士"),
}
PRIMARY_SUBJECTS = ("music", "english", "art", "science", "maths", "it", "chinese")
JUNIOR_SUBJECTS = ("english", "physics", "history", "music", "maths", "art", "chinese")
SUBJECT_NAMES = {
    "music": "音乐",
    "english": "英语",
    "art": "美术",
    "science": "科学",
    "maths": "数学",
    "chinese": "语文",
    "physics": "物理",
    "history": "历史",
    "it": "信息科技",
}
GRADES = "一二三四五六七八九"


@dataclass(frozen=True, slots=True)
class Course:
    """One synchronous classroom before its rows are made."""

    number: int
    lead: Place
    villages: list[Place]
    phase: str
    subject: str
    grade: int
    teacher: str
    assistants: list[str]

    @property
    def id(self) -> str:
        return named_id("demo", "classroom", self.number)

    @property
    def name(self) -> str:
        return f"{GRADES[self.grade - 1]}年级{SUBJECT_NAMES[self.subject]}同步课堂"

    @property
    def full_name(self) -> str:
        return f"{self.lead.short_name}{self.name}"

    @property
    def minutes(self) -> int:
        return 40 if self.phase == "primary" else 45

    def lead_room(self) -> Room:
        return room(self.lead, "lead", f"主讲教室{self.number + 1:02d}", 40)

    def receiving_rooms(self) -> list[Room]:
        grade = GRADES[self.grade - 1]
        return [
            room(place, "receiving", f"{grade}年级听讲教室", 18 + (self.number * 7 + seat * 5) % 21)
            for seat, place in enumerate(self.villages)
        ]


def courses() -> list[Course]:
    found = []
    for number, (lead, villages) in enumerate(paired()):
        phase = "junior" if lead.phase == "junior" else "primary"
        subjects = PRIMARY_SUBJECTS if phase == "primary" else JUNIOR_SUBJECTS
        # every village school named here runs these grades, the nine-year ones both phases
        assert all(teaches(village, phase) for village in villages)
        found.append(
            Course(
                number=number,
                lead=lead,
                villages=villages,
                phase=phase,
                subject=subjects[number % len(subjects)],
                grade=4 if number == 0 else (3 + number % 4 if phase == "primary" else 7 + number % 3),
                teacher=f"lead-{number:02d}" if number else "teacher",
                assistants=[
                    "assistant" if number == seat == 0 else f"aide-{number:02d}-{seat}" for seat in range(len(villages))
                ],
            )
        )
    return found


def people(now: datetime, since: date) -> Iterator[tuple[Person, PostHeld]]:
    """Lead teachers and the assistants who stand in the receiving rooms; the demo accounts among them are made
    elsewhere.
    """
    for course in courses():
        if course.number:
            made = person(course.teacher, now, course.lead.id, subject=course.subject)
            yield made, post(course.teacher, "teacher", since, school=course.lead.id)
        for login, village in zip(course.assistants, course.villages, strict=True):
            if login != "assistant":
                yield person(login, now, village.id), post(login, "assistant", since, school=village.id)


def term(now: datetime) -> Term:
    """The term around today. In a vacation the neighbouring term is stretched, so that the demo always has a past and a
    future."""
    today = city_date(now)
    year = school_year(today)
    first, last = date(year, 9, 1), date(year + 1, 1, 22)
    number = 1
    if today > date(year + 1, 2, 5):
        first, last, number = date(year + 1, 2, 22), date(year + 1, 7, 9), 2
    return Term(
        id=f"{year}-{number}",
        name=f"{year}–{year + 1} 学年第{'一二'[number - 1]}学期（演示）",
        starts_on=min(first, today - timedelta(weeks=WEEKS_BACK)),
        ends_on=max(last, today + timedelta(weeks=WEEKS_AHEAD)),
    )


def calendar() -> Iterator[CalendarDay]:
    for one in known_days():
        yield CalendarDay(day=one.day, kind=one.kind, name=one.name, stands_for=one.stands_for, source="seed")
    yield CalendarDay(day=NEW_YEAR, kind="holiday", name="元旦（演示）", source="hand")


def special() -> dict[date, SpecialDay]:
    return {day.day: SpecialDay(day.kind == "holiday", stands_for=day.stands_for) for day in calendar()}


def bells() -> Iterator[BellSchedule]:
    """Town schools ring all year alike, village schools ten minutes earlier, and later of a summer's afternoon."""
    seen: set[tuple[str, str]] = set()
    for course in courses():
        usual = PRIMARY_BELLS if course.phase == "primary" else JUNIOR_BELLS
        for place in (course.lead, *course.villages):
            if (place.id, course.phase) in seen:
                continue
            seen.add((place.id, course.phase))
            if not place.village:
                yield _schedule(place, course, "全年作息", "01-01", usual)
                continue
            earlier = tuple(time(one.hour, one.minute - 10) if one.minute >= 10 else one for one in usual)
            summer = tuple(one.replace(minute=30) if one == time(14) else one for one in earlier[:5])
            yield _schedule(place, course, "夏季作息", "05-01", summer)
            yield _schedule(place, course, "冬季作息", "10-01", earlier)


def _schedule(place: Place, course: Course, name: str, begins: str, starts: tuple[time, ...]) -> BellSchedule:
    id_ = named_id("demo", "bells", place.id, course.phase, begins)
    periods = [
        BellPeriod(id=named_id(id_, number), period=number, starts=one, minutes=course.minutes)
        for number, one in enumerate(starts, 1)
    ]
    return BellSchedule(id=id_, school_id=place.id, phase=course.phase, name=name, begins=begins, periods=periods)


def invitations(now: datetime) -> Iterator[Invitation]:
    """Answered long ago, but for the first villages of a few classrooms: somebody still has to."""
    for course in courses():
        for seat, village in enumerate(course.villages):
            open_ = seat == 0 and course.number % 10 == 0
            asked = now - timedelta(hours=3 if open_ else 24 * 30)
            yield Invitation(
                id=named_id("demo", "invitation", course.number, seat),
                school_id=village.id,
                classroom_id=course.id,
                asked_at=asked,
                asked_by=person_id("district"),
                due_on=school_days_after(city_date(asked), 2, special()),
                answer="pending" if open_ else "confirmed",
                answered_at=None if open_ else asked + timedelta(hours=5),
            )


def classrooms(now: datetime, term_id: str, since: date) -> Iterator[Classroom]:
    for course in courses():
        rooms = course.receiving_rooms()
        yield Classroom(
            id=course.id,
            name=course.full_name,
            subject=course.subject,
            grade=course.grade,
            lead_room_id=course.lead_room().id,
            lead_teacher_id=person_id(course.teacher),
            term=term_id,
            accepted_on=None if course.number % 15 == 14 else since,
            demo=True,
            created_at=now,
            receivers=[
                Receiver(
                    id=named_id("demo", "receiver", course.number, seat),
                    classroom_id=course.id,
                    position=seat + 1,
                    room_id=rooms[seat].id,
                    assistant_id=person_id(login),
                    class_id=_classes(city_date(now))[course.number, seat],
                )
                for seat, login in enumerate(course.assistants)
            ],
        )


@cache
def _classes(today: date) -> dict[tuple[int, int], str | None]:
    """(course, seat) -> the village's class of the grade (``register.classes``), for the first course that wants it."""
    found: dict[tuple[int, int], str | None] = {}
    for course in courses():
        year = entry_year(course.phase, course.grade, today)
        for seat, village in enumerate(course.villages):
            id_ = named_id("demo", "class", village.id, course.phase, year)
            runs = village.phase in (course.phase, "nine_year")
            found[course.number, seat] = id_ if runs and id_ not in found.values() else None
    return found


def slots() -> Iterator[WeeklySlot]:
    """Two or three a week. Rooms and teachers belong to one classroom each, so that no two slots can collide."""
    for course in courses():
        bells = PRIMARY_BELLS if course.phase == "primary" else JUNIOR_BELLS
        for turn in range(3 if course.number % 3 == 0 else 2):
            weekday, period = 1 + (course.number + 2 * turn) % 5, (course.number + turn) % len(bells)
            yield WeeklySlot(
                id=named_id("demo", "slot", course.number, turn),
                classroom_id=course.id,
                weekday=weekday,
                period=period + 1,
                starts=bells[period],
                minutes=course.minutes,
                follows_bell=True,
            )


def lessons(now: datetime) -> Iterator[Lesson]:
    """Past and coming lessons of the timetable. What would be going on right now is left out: nobody teaches it."""
    around, by_id = term(now), {course.id: course for course in courses()}
    today = city_date(now)
    first = max(around.starts_on, today - timedelta(weeks=WEEKS_BACK))
    last = min(around.ends_on, today + timedelta(weeks=WEEKS_AHEAD))
    days = special()
    for slot in slots():
        course = by_id[slot.classroom_id]
        for day in days_of(slot.weekday, first, last, days):
            starts_at, ends_at = lesson_span(day, slot.starts, slot.minutes)
            busy_soon = course.number == 0 and abs(starts_at - now) < timedelta(hours=2)
            if not busy_soon and not starts_at - timedelta(minutes=30) < now < ends_at + timedelta(minutes=10):
                title = None if starts_at < now else course.full_name  # not yet prepared: as publishing calls it
                made = lesson(course, f"{day} {slot.period}", starts_at, ends_at, now, title)
                made.origin = f"{course.id}/{day:%Y%m%d}/{slot.period}"  # as the timetable's own publishing names it
                yield made


def coming(now: datetime) -> Lesson:
    """The demo teacher's lesson, on the full minute four minutes from now, with three receiving rooms."""
    course = courses()[0]
    starts_at = (now + SOON + timedelta(seconds=59)).replace(second=0, microsecond=0)
    label = starts_at.astimezone(CITY).strftime("%Y-%m-%d %H:%M")
    return lesson(course, label, starts_at, starts_at + timedelta(minutes=course.minutes), now, title="《茉莉花》")


def lesson(
    course: Course, label: str, starts_at: datetime, ends_at: datetime, now: datetime, title: str | None = None
) -> Lesson:
    id_ = named_id("demo", "lesson", course.number, label)
    titles = TITLES[course.subject, course.phase]
    return Lesson(
        id=id_,
        classroom_id=course.id,
        title=title or f"《{random.Random(id_).choice(titles)}》",
        subject=course.subject,
        grade=course.grade,
        kind="formal",
        form="delivery",
        state="published",
        lead_room_id=course.lead_room().id,
        teacher_id=person_id(course.teacher),
        starts_at=starts_at,
        ends_at=ends_at,
        created_at=now - timedelta(weeks=WEEKS_BACK + 1),
        demo=True,
        receipts=[
            Receipt(
                id=named_id("demo", "receipt", id_, held.id),
                lesson_id=id_,
                starts_at=starts_at,
                room_id=held.id,
                position=seat + 1,
                assistant_id=person_id(course.assistants[seat]),
                expected=held.pupils,
                class_id=_classes(city_date(now))[course.number, seat],
            )
            for seat, held in enumerate(course.receiving_rooms())
        ],
    )
