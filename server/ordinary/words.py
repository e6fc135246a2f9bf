"""An ordinary hour in words: whose, which subject, when in the week; "…_key" are text keys."""

from __future__ import annotations

from typing import Literal

from server.ordinary.models import OrdinarySlot

Of = Literal["class", "person", "room"]


def names(slot: OrdinarySlot) -> dict[str, str]:
    """Of whom and what it holds, by kind of resource; the hour was read with them (``store.NAMED``)."""
    held = {
        "class": slot.school_class.called if slot.school_class else "",
        "person": slot.teacher.name if slot.teacher else "",
        "room": slot.room.name if slot.room else "",
    }
    return {kind: name for kind, name in held.items() if name}


def words(slot: OrdinarySlot, kind: str) -> dict[str, str]:
    """Of an hour that keeps a resource of this kind busy: with whom, what, when."""
    held = names(slot)
    others = [name for other, name in held.items() if other != kind]
    return {
        "title": (others or list(held.values()))[0],
        "subject_key": f"common.subject.{slot.subject}",
        "weekday_key": f"common.weekday.{slot.weekday}",
        "period": str(slot.period),
    }
