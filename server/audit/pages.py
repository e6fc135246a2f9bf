"""Page of the audit log: who did what when, latest first, and that the chain holds them."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import Response

from server.audit import store
from server.audit.models import AuditEntry
from server.audit.routes import ACTS, Reader, Wanted
from server.dependencies import Html, Reading
from server.paging import PAGE_ROWS, ListPage, base_of
from server.schools import store as schools
from server.templating import Page

router = APIRouter(include_in_schema=False)

LIST = "/admin/audit"
SHOWN = 6
"""Columns of one change that the list names; the rest are counted."""


def lines(page: Page, entry: AuditEntry) -> list[tuple[str, str | None, str | None]]:
    """(name, before, after) of what changed; facts of a view or export have only an after."""
    found = []
    for name, value in [one for one in entry.told.items() if one[0] != "id"][:SHOWN]:
        label = page.t(f"admin.column.{name}")
        label = name if label.startswith("admin.column.") else label
        before, after = value if isinstance(value, list) and len(value) == 2 else (None, value)
        found.append((label, _plain(page, before), _plain(page, after)))
    return found


def _plain(page: Page, value: Any) -> str | None:
    if isinstance(value, bool):
        return page.t("common.yes" if value else "common.no")
    return None if value is None else str(value)


@router.get(LIST)
async def get_list(
    page: Html,
    session: Reading,
    scope: Reader,
    wanted: Wanted,
    number: ListPage = 1,
    first: Annotated[date | None, Query()] = None,
    last: Annotated[date | None, Query()] = None,
) -> Response:
    rows, paging = await store.entries(session, scope, wanted, number, PAGE_ROWS)
    filters: dict[str, object] = {
        "school": wanted.school,
        "person": wanted.person,
        "act": wanted.act,
        "kind": wanted.kind,
    }
    filters |= {"row": wanted.row, "first": first or "", "last": last or ""}
    return page.render(
        "admin/audit.html",
        rows=[(entry, name, school, seal, lines(page, entry)) for entry, name, school, seal in rows],
        paging=paging,
        wanted=wanted,
        first=first,
        last=last,
        acts=ACTS,
        kinds=await store.kinds(session, scope),
        school=await schools.school(session, scope, wanted.school) if wanted.school else None,
        base=base_of(filters),
    )
