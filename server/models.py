"""Every table, imported in dependency order (a model points only to models on its left): for migrations and tests."""

from server.accounts.models import Person, PostHeld, SignIn
from server.audit.models import AuditEntry, AuditSeal, AuditWaiting
from server.classrooms.models import Classroom, Receiver
from server.database import Base
from server.demands.models import Demand, Offer
from server.encoders.models import RoomSource, StreamKey
from server.exchange.models import Upload
from server.feeds.models import Feed
from server.groups.models import Group, Membership
from server.indicators.models import FillState, RollUp
from server.lessons.models import Deck, Invitation, Lesson, LessonChange, LessonCode, Node, Placement, Receipt
from server.notices.models import Notice, NoticeBell
from server.ordinary.models import OrdinarySlot
from server.outbox.models import Channel, Delivery
from server.participation.models import Attendance, FactRow, LedgerMark
from server.recordings.models import Recording
from server.schools.models import (
    Device,
    District,
    Enrolment,
    Gap,
    Pairing,
    Past,
    Room,
    School,
    SchoolClass,
    SettlementCode,
)
from server.selftests.models import SelfTest
from server.studios.activities.models import Activity, ActivityPerson, ActivityPlace
from server.studios.models import Studio, StudioMember
from server.timetable.models import (
    BellPeriod,
    BellSchedule,
    CalendarDay,
    CalendarHorizon,
    ResourceDay,
    SchoolSpan,
    Term,
    WeeklySlot,
)
from server.tokens.models import MachineToken

__all__ = [
    "Activity",
    "ActivityPerson",
    "ActivityPlace",
    "Attendance",
    "AuditEntry",
    "AuditSeal",
    "AuditWaiting",
    "Base",
    "BellPeriod",
    "BellSchedule",
    "CalendarDay",
    "CalendarHorizon",
    "Channel",
    "Classroom",
    "Deck",
    "Delivery",
    "Demand",
    "Device",
    "District",
    "Enrolment",
    "FactRow",
    "Feed",
    "FillState",
    "Gap",
    "Group",
    "Invitation",
    "LedgerMark",
    "Lesson",
    "LessonChange",
    "LessonCode",
    "MachineToken",
    "Membership",
    "Node",
    "Notice",
    "NoticeBell",
    "Offer",
    "OrdinarySlot",
    "Pairing",
    "Past",
    "Person",
    "Placement",
    "PostHeld",
    "Receipt",
    "Receiver",
    "Recording",
    "ResourceDay",
    "RollUp",
    "Room",
    "RoomSource",
    "School",
    "SchoolClass",
    "SchoolSpan",
    "SelfTest",
    "SettlementCode",
    "SignIn",
    "StreamKey",
    "Studio",
    "StudioMember",
    "Term",
    "Upload",
    "WeeklySlot",
]
