"""Pages of a list, and addresses that keep its filters. Rule: a list never answers more than ``MOST`` rows at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Query

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


def base_of(filters: Mapping[str, object], *leave: str) -> str:
    """ "?district=120113&" without empty filters and without those named: the next parameter is simply appended."""
    kept = {key: value for key, value in filters.items() if value not in ("", None) and key not in leave}
    return "?" + (urlencode(kept) + "&" if kept else "")
