"""Rows of a city whose names all carry a mark, for the walk of ``test_rights.py``: who sees no row sees no mark."""

from __future__ import annotations

from datetime import date, time, timedelta
from typing import Any

from server.accounts.models import Person
from server.classrooms.models import Classroom
from server.demands.models import Demand, Offer
from server.exchange.models import Upload
from server.groups.models import Group, Membership
from server.ids import new_id
from server.lessons.models import Invitation, Lesson, LessonChange, Mend
from server.notices.models import Notice
from server.outbox.models import Channel, Delivery
from server.schools.models import Gap, Room, School, SchoolClass
from server.studios.activities.models import Activity, ActivityPerson, ActivityPlace
from server.studios.models import Studio
from server.timetable.models import BellSchedule, CalendarDay, SchoolSpan
from server.tokens.models import MachineToken
from tests.support.timetable import ordinary
from tests.support.web import Web

MARK = "甲秘"
"""In every name of the city but the lessons' titles: those everybody may read."""


async def register(web: Web, lead: Room, room: Room, admin: Person) -> dict[str, Any]:
    """Classes, gaps, groups, uploads, needs of the city."""
    town, village = lead.school, room.school
    now, today = web.clock.now(), date(2026, 11, 16)
    held_class = SchoolClass(
        id=new_id(), school_id=village.id, phase="primary", entry_year=2024, number=1, pupils=20, name=f"{MARK}班"
    )
    gap = Gap(
        id=new_id(), school_id=village.id, term="2026-1", grade=3, subject="music", note=f"{MARK}缺", declared_on=today
    )
    group = Group(id=new_id(), name=f"{MARK}集团", kind="community", starts_on=today, created_at=now)
    upload = Upload(
        id=new_id(), kind="rooms", state="ready", name=f"{MARK}.xlsx", sha256="0" * 64, person_id=admin.id,
        created_at=now, problems=[],
    )  # fmt: skip
    await web.add(held_class, gap, group, upload)
    member = Membership(id=new_id(), group_id=group.id, school_id=town.id, role="lead", starts_on=today)
    await web.add(member)
    need = Demand(
        id=new_id(), school_id=village.id, room_id=room.id, term="2026-1", grade=3, subject="music", note=f"{MARK}需",
        posted_at=now,
    )  # fmt: skip
    offer = Offer(
        id=new_id(), demand_id=need.id, school_id=town.id, lead_room_id=lead.id, teacher_id=admin.id, weekday=3,
        period=5, starts=time(14), minutes=40, note=f"{MARK}报", offered_at=now,
    )  # fmt: skip
    await web.add(need)
    await web.add(offer)
    made = {"class": held_class, "gap": gap, "group": group, "member": member, "upload": upload}
    return {**made, "demand": need, "offer": offer, **await outward(web, town, admin)}


async def outward(web: Web, town: School, admin: Person) -> dict[str, Any]:
    """A channel with what went out through it, a machine's token."""
    now = web.clock.now()
    channel = Channel(
        id=new_id(), kind="webhook", name=f"{MARK}推送", school_id=town.id, endpoint=f"https://hook.example/{MARK}",
        secret=MARK, created_at=now, created_by=admin.id,
    )  # fmt: skip
    delivery = Delivery(
        id=new_id(), channel_id=channel.id, subject=new_id(), event="test", body={"at": MARK}, state="failed",
        created_at=now, due_at=now,
    )  # fmt: skip
    token = MachineToken(
        id=new_id(), name=f"{MARK}平台", token_sha256="0" * 64, school_id=town.id, made_by=admin.id, created_at=now,
        expires_at=now + timedelta(days=9),
    )  # fmt: skip
    await web.add(channel, token)
    await web.add(delivery)
    return {"channel": channel, "delivery": delivery, "token": token}


async def studio_activity(web: Web, studio: Studio, room: Room, admin: Person) -> Activity:
    """What the studio plans, in the village's room."""
    start = web.clock.now() + timedelta(days=2)
    row = Activity(
        id=new_id(), studio_id=studio.id, kind="training", title=f"{MARK}研修", state="planned", starts_at=start,
        ends_at=start + timedelta(hours=1), created_at=web.clock.now(), sequence=0,
    )  # fmt: skip
    await web.add(row)
    await web.add(
        ActivityPlace(id=new_id(), activity_id=row.id, room_id=room.id, position=1),
        ActivityPerson(id=new_id(), activity_id=row.id, person_id=admin.id),
    )
    return row


async def plans(
    web: Web, town: School, village: School, classroom: Classroom, planned: Lesson, admin: Person
) -> dict[str, str]:
    """Rows of the timetable."""
    now, today = web.clock.now(), date(2026, 11, 16)
    bells = BellSchedule(id=new_id(), school_id=town.id, phase="primary", name=f"{MARK}作息", begins="01-01")
    span = SchoolSpan(
        id=new_id(), school_id=town.id, kind="exam", name=f"{MARK}考试", first_on=today, last_on=today, created_at=now
    )
    asked = Invitation(
        id=new_id(), school_id=village.id, classroom_id=classroom.id, asked_at=now, due_on=today, objection=f"{MARK}不"
    )
    notice = Notice(
        id=new_id(), person_id=admin.id, key="invited", words={"name": MARK, "due_date": str(today)}, href="/", at=now
    )
    change = LessonChange(
        id=new_id(), batch=new_id(), lesson_id=planned.id, kind="about", at=now, note=f"{MARK}改", before={}, after={}
    )
    mend = Mend(
        id=new_id(), lesson_id=planned.id, room_id=planned.receipts[0].room_id, person_id=admin.id, reason="other",
        note=f"{MARK}在", asked_at=now, asked_by=admin.id,
    )  # fmt: skip
    home = ordinary(village, 5, 8, room_id=planned.receipts[0].room_id)
    await web.add(home)
    await web.add(
        bells, span, asked, notice, change, mend, CalendarDay(day=date(2026, 11, 20), kind="holiday", name="公开的假日")
    )
    named: dict[str, Any] = {"schedule": bells, "span": span, "invitation": asked, "notice": notice, "mend": mend}
    named["slot"] = home
    return {f"{name}_id": one.id for name, one in named.items()} | {"batch_id": change.batch}
