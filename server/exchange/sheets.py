"""What stands in each workbook: one sheet a kind, one column a value, in the order in which a clerk reads.

Titles and choices are texts of the locale (``exchange.column.*``); a file made in one language is read in the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from server.classrooms.schemas import FORMS, MOST_RECEIVERS, SUBJECTS
from server.ordinary.schemas import SUBJECTS as ORDINARY
from server.schools.schemas import EQUIPMENT
from server.templating import LOCALES, Texts, texts

Form = Literal["text", "number", "date", "choice", "choices"]


@dataclass(frozen=True, slots=True)
class Column:
    key: str
    form: Form = "text"
    required: bool = False
    choices: tuple[str, ...] = ()
    """Keys; what people read and choose is ``area`` + key."""
    area: str = ""
    width: int = 14
    signs: bool = False
    """May begin with + or - (telephone numbers)."""

    def said(self, key: str, t: Texts) -> str:
        return t(f"{self.area}.{key}")


YES_NO = ("yes", "no")
WEEKDAYS = ("1", "2", "3", "4", "5", "6", "7")
POSTS = ("teacher", "assistant", "class_teacher", "dean", "technician", "school_admin")
SETTLEMENTS = ("111", "112", "121", "122", "123", "210", "220")

SHEETS: dict[str, tuple[Column, ...]] = {
    "schools": (
        Column("code", required=True),
        Column("name", required=True, width=28),
        Column("short_name", required=True, width=18),
        Column("phase", "choice", True, ("primary", "junior", "nine_year"), "common.phase"),
        Column("located_in", required=True, width=12),
        Column("supervised_by", required=True, width=12),
        Column("settlement", "choice", False, SETTLEMENTS, "admin.settlement.code", 18),
        Column("key_school", "choice", False, YES_NO, "common", 10),
        Column("weak", "choice", False, YES_NO, "common", 10),
        Column("phone", width=18, signs=True),
    ),
    "rooms": (
        Column("school_code", required=True),
        Column("code", required=True),
        Column("name", required=True, width=20),
        Column("kind", "choice", True, ("lead", "receiving"), "common.room_kind"),
        Column("pupils", "number", True, width=10),
        Column("equipment", "choices", False, EQUIPMENT, "admin.equipment", 40),
    ),
    "classes": (
        Column("school_code", required=True),
        Column("phase", "choice", True, ("primary", "junior"), "common.phase", 10),
        Column("entry_year", "number", True, width=10),
        Column("number", "number", True, width=8),
        Column("name", width=18),
        Column("pupils", "number", True, width=10),
    ),
    "people": (
        Column("login", required=True, width=20),
        Column("name", required=True),
        Column("school_code", required=True),
        Column("posts", "choices", True, POSTS, "common.post", 28),
        Column("subject", "choice", False, SUBJECTS, "common.subject"),
        Column("phone", width=18, signs=True),
    ),
    "pairings": (
        Column("lead_code", required=True),
        Column("village_code", required=True),
        Column("kind", "choice", True, ("one_to_one", "one_to_many"), "admin.pairings.kind"),
        Column("starts_on", "date", True),
        Column("ends_on", "date"),
    ),
    "enrolment": (
        Column("school_code", required=True),
        Column("school_year", "number", True, width=10),
        Column("phase", "choice", True, ("primary", "junior"), "common.phase", 10),
        Column("pupils", "number", True, width=10),
        Column("teachers", "number", True, width=10),
    ),
    "calendar": (
        Column("day", "date", True),
        Column("kind", "choice", True, ("holiday", "makeup"), "timetable.kind"),
        Column("name", required=True, width=20),
        Column("stands_for", "date"),
        Column("runs_weekday", "choice", False, WEEKDAYS, "common.weekday"),
    ),
    "classrooms": (
        Column("term", required=True, width=10),
        Column("classroom", required=True, width=28),
        Column("subject", "choice", True, SUBJECTS, "common.subject"),
        Column("grade", "number", True, width=8),
        Column("form", "choice", False, FORMS, "common.lesson_form"),
        Column("room_code", required=True),
        Column("teacher", required=True, width=20),
        Column("lead_class", width=14),
        Column("accepted_on", "date"),
        *(
            Column(f"{name}_{n}", required=(name, n) == ("room", 1), width=18)
            for n in range(1, MOST_RECEIVERS + 1)
            for name in ("room", "class", "assistant")
        ),
    ),
    "slots": (
        Column("term", required=True, width=10),
        Column("classroom", required=True, width=28),
        Column("room_code", required=True),
        Column("weekday", "choice", True, WEEKDAYS, "common.weekday", 10),
        Column("period", "number", True, width=8),
        Column("starts", required=True, width=10),
        Column("minutes", "number", True, width=8),
        Column("weeks", "choice", False, ("all", "odd", "even"), "timetable.weeks", 10),
        Column("follows_bell", "choice", False, YES_NO, "common", 12),
        Column("action", "choice", False, ("remove",), "exchange.action", 8),
        Column("slot", width=26),
    ),
    "ordinary": (
        Column("term", required=True, width=10),
        Column("school_code", required=True),
        Column("class", width=16),
        Column("staff", width=20),
        Column("room", width=18),
        Column("weekday", "choice", True, WEEKDAYS, "common.weekday", 10),
        Column("period", "number", True, width=8),
        Column("weeks", "choice", False, ("all", "odd", "even"), "timetable.weeks", 10),
        Column("subject", "choice", True, ORDINARY, "common.subject"),
        Column("follows_bell", "choice", False, YES_NO, "common", 12),
        Column("starts", width=10),
        Column("minutes", "number", width=8),
        Column("action", "choice", False, ("remove",), "exchange.action", 8),
        Column("slot", width=26),
    ),
}

Title = Callable[[str], str]


class Fault(Exception):
    """One cell that cannot be taken: which, and the sentence to say about it."""

    def __init__(self, column: str, key: str, **params: Any) -> None:
        super().__init__(key)
        self.column, self.key, self.params = column, key, params


def title(column: Column, t: Texts) -> str:
    return t(f"exchange.column.{column.key}")


def by_title(columns: Iterable[Column]) -> dict[str, Column]:
    """Headings in every language, and the keys themselves."""
    found: dict[str, Column] = {}
    for column in columns:
        found[column.key] = column
        for locale in LOCALES:
            found[_bare(title(column, texts(locale)))] = column
    return found


def _bare(text: str) -> str:
    return text.strip().rstrip("*").strip()


def match(heads: Iterable[object], columns: tuple[Column, ...]) -> dict[int, Column]:
    """Which column of the file is which; order does not matter, columns of one's own are left alone."""
    known = by_title(columns)
    found = {place: known[_bare(str(head))] for place, head in enumerate(heads) if _bare(str(head or "")) in known}
    missing = [column for column in columns if column.required and column not in found.values()]
    if missing:
        raise Fault(missing[0].key, "no_column")
    return found


def _words(column: Column) -> dict[str, str]:
    """Every spelling of a choice -> its key."""
    return {
        spelling: key for key in column.choices for spelling in (key, *(column.said(key, texts(lo)) for lo in LOCALES))
    }


class Reader:
    """Cells of one kind of sheet into plain values; its tables are made once for all rows."""

    def __init__(self, columns: tuple[Column, ...]) -> None:
        self._words = {column.key: _words(column) for column in columns if column.choices}

    def value(self, column: Column, cell: object) -> Any:
        text = _text(cell)
        if text == "":
            if column.required:
                raise Fault(column.key, "required")
            return None
        if text[0] in "=@\t\r" or (text[0] in "+-" and not column.signs and column.form == "text"):
            raise Fault(column.key, "formula")
        if column.form == "number":
            return _number(column, text)
        if column.form == "date":
            return _date(column, cell, text)
        if column.form == "choice":
            return self._choice(column, text)
        if column.form == "choices":
            return [self._choice(column, part) for part in _parts(text)]
        return text

    def _choice(self, column: Column, text: str) -> str:
        found = self._words[column.key].get(text)
        if found is None:
            raise Fault(column.key, "choice")
        return found


def _text(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))  # Excel keeps every number as a fraction
    return str(cell).strip()


def _parts(text: str) -> Iterator[str]:
    for mark in (",", "，", ";", "；"):
        text = text.replace(mark, "、")
    return (part.strip() for part in text.split("、") if part.strip())


def _number(column: Column, text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise Fault(column.key, "number")
    return int(text)


def _date(column: Column, cell: object, text: str) -> date:
    if isinstance(cell, datetime):
        return cell.date()
    try:
        return date.fromisoformat(text.replace("/", "-")[:10]) if text[4:5] in "-/" else _loose(text)
    except ValueError as error:
        raise Fault(column.key, "date") from error


def _loose(text: str) -> date:
    """2026年9月1日, 20260901."""
    for mark in "年月":
        text = text.replace(mark, "-")
    parts = text.removesuffix("日").split("-")
    if len(parts) == 3:
        return date(*(int(part) for part in parts))
    return date.fromisoformat(text)


def written(column: Column, value: Any, t: Texts) -> Any:
    """A value as the cell shows it."""
    if value is None or value == []:
        return None
    if column.form == "choice":
        return column.said(str(value), t)
    if column.form == "choices":
        return "、".join(column.said(str(one), t) for one in sorted(value, key=column.choices.index))
    return value


def line(columns: tuple[Column, ...], values: Mapping[str, Any], t: Texts) -> list[Any]:
    return [written(column, values.get(column.key), t) for column in columns]
