"""Every table, imported in dependency order (a model points only to models on its left): for migrations and tests."""

from server.accounts.models import Person, PostHeld, SignIn
from server.classrooms.models import Classroom, Receiver
from server.database import Base
from server.indicators.models import FillState, RollUp
from server.lessons.models import Deck, Lesson, Node, Placement, Receipt
from server.participation.models import Attendance, FactRow, LedgerMark
from server.recordings.models import Recording
from server.schools.models import Device, District, Enrolment, Pairing, Room, School, SettlementCode
from server.studios.models import Studio, StudioMember
from server.timetable.models import CalendarDay, Term, WeeklySlot

__all__ = [
    "Attendance",
    "Base",
    "CalendarDay",
    "Classroom",
    "Deck",
    "Device",
    "District",
    "Enrolment",
    "FactRow",
    "FillState",
    "LedgerMark",
    "Lesson",
    "Node",
    "Pairing",
    "Person",
    "Placement",
    "PostHeld",
    "Receipt",
    "Receiver",
    "Recording",
    "RollUp",
    "Room",
    "School",
    "SettlementCode",
    "SignIn",
    "Studio",
    "StudioMember",
    "Term",
    "WeeklySlot",
]
