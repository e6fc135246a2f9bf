"""The board: slides opened, a page turned, the stage blanked. Allowed before the bell too, so that page one stands
ready.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from signaling.intents import Asker, Body, Empty, IntentError, Wish
from signaling.messages import Id
from signaling.room import RoomState

MAX_PAGES = 500


class DeckOpen(Body):
    deck: Id
    pages: Annotated[int, Field(ge=1, le=MAX_PAGES)]
    title: Annotated[str, Field(max_length=200)]


class PageTurn(Body):
    page: Annotated[int, Field(ge=1, le=MAX_PAGES)]


class Blank(Body):
    on: bool


def _not_over(state: RoomState) -> None:
    if state.phase == "closed":
        raise IntentError("phase_closed")


def _deck_open(state: RoomState, asker: Asker, form: DeckOpen) -> dict[str, Any]:
    _not_over(state)
    return form.model_dump()


def _deck_close(state: RoomState, asker: Asker, form: Empty) -> dict[str, Any]:
    _not_over(state)
    if state.deck is None:
        raise IntentError("deck_none")
    return {}


def _page_turn(state: RoomState, asker: Asker, form: PageTurn) -> dict[str, Any]:
    _not_over(state)
    if state.deck is None:
        raise IntentError("deck_none")
    if form.page > state.deck.pages:
        raise IntentError("page_range", pages=state.deck.pages)
    return form.model_dump()


def _blank(state: RoomState, asker: Asker, form: Blank) -> dict[str, Any]:
    _not_over(state)
    return form.model_dump()


WISHES: dict[str, Wish] = {
    "deck.open": Wish(DeckOpen, _deck_open, live_only=False),
    "deck.close": Wish(Empty, _deck_close, live_only=False),
    "page.turn": Wish(PageTurn, _page_turn, live_only=False),
    "stage.blank": Wish(Blank, _blank, live_only=False),
}
