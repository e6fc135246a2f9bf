"""Which part of a list is shown, and how long the list is."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from server.paging import ids_of_page
from server.schools.models import District
from tests.support.web import Web

CODES = [f"12010{n}" for n in range(5)]


@pytest.mark.parametrize(
    ("page", "shown", "ids"),
    [(1, 1, CODES[:2]), (2, 2, CODES[2:4]), (3, 3, CODES[4:]), (4, 3, CODES[4:]), (10_000, 3, CODES[4:])],
)
async def test_a_page_past_the_end_is_the_last_one(web: Web, page: int, shown: int, ids: list[str]) -> None:
    for code in CODES:
        await web.district(code)
    async with web.database.reading() as session:
        found, paging = await ids_of_page(session, select(District.id).order_by(District.id), page, 2)
    assert (found, paging.page, paging.count) == (ids, shown, len(CODES))


async def test_an_empty_list_has_one_empty_page(web: Web) -> None:
    async with web.database.reading() as session:
        found, paging = await ids_of_page(session, select(District.id).order_by(District.id), 2, 2)
    assert (found, paging.page, paging.pages, paging.count) == ([], 1, 1, 0)
