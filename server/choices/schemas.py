"""What a choice is, and the kinds there are: one row each, with the right that it takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel

from server.scope import Action

Of = Literal["school", "room", "class", "person", "classroom"]


@dataclass(frozen=True, slots=True)
class Kind:
    of: Of
    room: str = ""
    """lead | receiving; empty: both."""
    post: str = ""
    may: Action | None = None
    """Only those in whose part of the city the asker may do this."""
    paired: bool = False
    """Those of helped schools, too."""
    whole: bool = False
    """Of the whole city: names and codes of schools are public, pairings cross districts, studios take teachers of any
    school."""


KINDS: dict[str, Kind] = {
    "schools": Kind("school"),
    "schools_of_classes": Kind("school", may="class.write"),
    "schools_of_gaps": Kind("school", may="gap.write"),
    "all_schools": Kind("school", whole=True),
    "rooms": Kind("room"),
    "lead_rooms": Kind("room", room="lead", may="lesson.create"),
    "receiving_rooms": Kind("room", room="receiving", paired=True),
    "classes": Kind("class", paired=True),
    "teachers": Kind("person", post="teacher"),
    "all_teachers": Kind("person", post="teacher", whole=True),
    "assistants": Kind("person", post="assistant", paired=True),
    "classrooms": Kind("classroom"),
    "led_classrooms": Kind("classroom", may="lesson.create"),
}


class ChoiceOut(BaseModel):
    id: str
    text: str
    group: str
    """The school of a room or a person; empty where that says nothing."""


class ChoicesOut(BaseModel):
    items: list[ChoiceOut]
    more: bool
    """There are others: type another word."""
