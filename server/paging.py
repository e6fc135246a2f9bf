"""Pages of a list, and addresses that keep its filters. Rule: a list never answers more than ``MOST`` rows at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, TypeVar
from urllib.parse import urlencode

from fastapi import Query
from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

Row = TypeVar("Row")

PAGE_ROWS = 20  # fits a classroom PC's screen twice
MOST = 100
MAX_PAGE = 10_000  # keeps OFFSET an honest number

ListPage = Annotated[int, Query(alias="page", ge=1, le=MAX_PAGE)]
"""?page=2 of an HTML list ("page" itself is the renderer there)."""
Words = Annotated[str, Query(max_length=80, pattern=r"^[^\x00-\x1f]*$")]
"""What was typed into a search box; no control characters, which PostgreSQL would refuse."""


@dataclass(frozen=True, slots=True)
class Paging:
    """Which part of ``count`` rows a page shows; a page past the end is the last one."""

    wanted: int
    count: int
    size: int = PAGE_ROWS

    @property
    def pages(self) -> int:
        return max(1, -(-self.count // self.size))

    @property
    def page(self) -> int:
        return min(max(1, self.wanted), self.pages)

    @property
    def first(self) -> int:
        return min(self.count, (self.page - 1) * self.size + 1)

    @property
    def last(self) -> int:
        return min(self.count, self.page * self.size)

    @property
    def offset(self) -> int:
        return (self.page - 1) * self.size


def page_of(rows: Sequence[Row], wanted: int, size: int = PAGE_ROWS) -> tuple[Sequence[Row], Paging]:
    """The page of a list that is computed as a whole, because its order is."""
    paging = Paging(wanted, len(rows), size)
    return rows[paging.offset : paging.offset + size], paging


def base_of(filters: Mapping[str, object], *leave: str) -> str:
    """ "?district=120113&" without empty filters and without those named: the next parameter is simply appended."""
    kept = {key: value for key, value in filters.items() if value not in ("", None) and key not in leave}
    return "?" + (urlencode(kept) + "&" if kept else "")


async def found_by(session: AsyncSession, query: Select[str], offset: int, limit: int) -> tuple[list[str], int]:
    """Ids of one part of a filtered list and the length of the whole, looked through once."""
    rows = (await session.execute(query.add_columns(func.count().over()).offset(offset).limit(limit))).all()
    if rows or not offset:
        return [row[0] for row in rows], rows[0][1] if rows else 0
    return [], await session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0


async def ids_of_page(session: AsyncSession, query: Select[str], page: int, size: int) -> tuple[list[str], Paging]:
    ids, count = await found_by(session, query, (page - 1) * size, size)
    paging = Paging(page, count, size)
    if count and not ids:
        ids, _ = await found_by(session, query, paging.offset, size)
    return ids, paging
