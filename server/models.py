"""Every table, imported in dependency order (a model points only to models on its left): for migrations and tests."""

from server.accounts.models import Person, PostHeld, SignIn
from server.audit.models import AuditEntry, AuditSeal, AuditWaiting
from server.classrooms.models import Classroom, Receiver
from server.database import Base
from server.exchange.models import Upload
from server.groups.models import Group, Membership
from server.indicators.models import FillState, RollUp
from server.lessons.models import Deck, Lesson, Node, Placement, Receipt
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
from server.studios.models import Studio, StudioMember
from server.timetable.models import CalendarDay, Term, WeeklySlot

__all__ = [
    "Attendance",
    "AuditEntry",
    "AuditSeal",
    "AuditWaiting",
    "Base",
    "CalendarDay",
    "Classroom",
    "Deck",
    "Device",
    "District",
    "Enrolment",
    "FactRow",
    "FillState",
    "Gap",
    "Group",
    "LedgerMark",
    "Lesson",
    "Membership",
    "Node",
    "Pairing",
    "Past",
    "Person",
    "Placement",
    "PostHeld",
    "Receipt",
    "Receiver",
    "Recording",
    "RollUp",
    "Room",
    "School",
    "SchoolClass",
    "SettlementCode",
    "SignIn",
    "Studio",
    "StudioMember",
    "Term",
    "Upload",
    "WeeklySlot",
]
