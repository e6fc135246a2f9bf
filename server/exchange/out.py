"""Files out: templates, and everything of the asker's part as workbooks that can be edited and sent back.

A workbook holds as many rows as one that is sent in may. More come as several in one zip, a district each: whoever
administers a city sends a district's file to the district, and each of them goes in again.
"""

from __future__ import annotations

import asyncio
import io
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, NamedTuple, Protocol, runtime_checkable

from sqlalchemy.ext.asyncio import AsyncSession

from server.clock import city_date
from server.errors import InvalidError
from server.exchange import store, workbook
from server.exchange.service import KINDS, may
from server.exchange.sheets import SHEETS
from server.scope import Scope
from server.templating import Texts

ZIP = "application/zip"
PLACED = {
    "schools": "code",
    "rooms": "school_code",
    "classes": "school_code",
    "people": "school_code",
    "pairings": "lead_code",
    "enrolment": "school_code",
    "classrooms": "room_code",
    "slots": "room_code",
    "ordinary": "school_code",
}
"""The column of a kind whose school or room says in which district the row stands."""

MOST_OUT = 200_000
"""本校课表 of a whole city are more than a million hours: more than the memory of a web. A district's are fewer."""

Rows = list[dict[str, Any]]
DistrictOf = Callable[[str], str | None]


@runtime_checkable
class Light(Protocol):
    """A kind that needs less to be shown than to be compared with a file."""

    async def load_shown(self, session: AsyncSession, scope: Scope, now: datetime) -> None: ...


class Out(NamedTuple):
    data: bytes
    rows: int
    files: int

    @property
    def media_type(self) -> str:
        return ZIP if self.files > 1 else workbook.MEDIA_TYPE

    @property
    def ending(self) -> str:
        return "zip" if self.files > 1 else "xlsx"


async def template(scope: Scope, kind: str, t: Texts) -> bytes:
    may(scope, kind)
    return workbook.write(kind, SHEETS[kind], (), t)


async def export(session: AsyncSession, scope: Scope, kind: str, now: datetime, t: Texts) -> Out:
    """Rows come in pages and files are written beside the loop: a city's hundred thousand people take most of a minute,
    in which others are served."""
    may(scope, kind)
    if kind == "ordinary" and await store.count_ordinary(session, scope, city_date(now)) > MOST_OUT:
        raise InvalidError("export_rows", most=MOST_OUT)
    held = KINDS[kind]()
    await (held.load_shown if isinstance(held, Light) else held.load)(session, scope, now)
    rows = await asyncio.to_thread(held.export)
    if len(rows) <= workbook.MOST_ROWS:
        return Out(await asyncio.to_thread(workbook.write, kind, SHEETS[kind], rows, t), len(rows), 1)
    district = (await store.district_of_codes(session, scope)).get
    names = {one.id: one.name if t.locale == "zh-CN" else one.name_en for one in await store.districts(session, scope)}
    parts = list(split(rows, PLACED.get(kind, ""), district, names, t("common.city_direct")))
    return Out(await asyncio.to_thread(_packed, kind, parts, t), len(rows), len(parts))


def split(
    rows: Rows, column: str, district: DistrictOf, names: dict[str, str], direct: str
) -> Iterator[tuple[str, Rows]]:
    """(what to call it, rows), a district each in the order of ``names``, the city's own schools last; a district of
    more rows than a file may have is numbered on."""
    found: dict[str | None, Rows] = defaultdict(list)
    for row in rows:
        found[district(str(row.get(column, "")))].append(row)
    for id_, name in [*names.items(), (None, direct)]:
        held = found.get(id_, [])
        pages = [held[start : start + workbook.MOST_ROWS] for start in range(0, len(held), workbook.MOST_ROWS)]
        for number, page in enumerate(pages, 1):
            yield f"{name}-{number}" if len(pages) > 1 else name, page


def _packed(kind: str, parts: list[tuple[str, Rows]], t: Texts) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as packed:  # workbooks are zips already
        for name, rows in parts:
            title = f"{t(f'exchange.kind.{kind}')}-{name}.xlsx"
            packed.writestr(title, workbook.write(kind, SHEETS[kind], rows, t))
    return out.getvalue()
