"""Chat lines. Open before the bell ("can you hear us?"); the teacher may erase; facts count lines, never their text."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from signaling.intents import Asker, Body, IntentError, Wish
from signaling.room import RoomState

MAX_CHARS = 500


class Say(Body):
    text: Annotated[str, Field(min_length=1, max_length=MAX_CHARS)]


class Erase(Body):
    seq: Annotated[int, Field(ge=1)]


def _say(state: RoomState, asker: Asker, form: Say) -> dict[str, Any]:
    text = form.text.strip()
    if not text:
        raise IntentError("chat_empty")
    return {"text": text}


def _erase(state: RoomState, asker: Asker, form: Erase) -> dict[str, Any]:
    if all(line.seq != form.seq for line in state.chat):
        raise IntentError("chat_unknown")
    return {"seq": form.seq}


WISHES: dict[str, Wish] = {
    "chat.say": Wish(Say, _say, live_only=False),
    "chat.erase": Wish(Erase, _erase, live_only=False),
}
