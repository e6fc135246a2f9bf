"""Tables as CSV for Excel and WPS. Rule: no cell may become a formula on the clerk's machine."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from urllib.parse import quote

from fastapi.responses import Response

BOM = "\ufeff"  # without it Excel on a Chinese Windows reads UTF-8 as GBK
MOST_ROWS = 20_000


def safe(cell: object) -> str:
    """A text that begins like a formula gets an apostrophe (OWASP, CSV injection); numbers are not touched."""
    text = "" if cell is None else str(cell)
    return "'" + text if isinstance(cell, str) and text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def sheet(name: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(head)
    writer.writerows([safe(cell) for cell in row] for row in rows)
    disposition = f"attachment; filename*=UTF-8''{quote(name)}.csv"  # RFC 6266, section 4.3
    return Response(
        BOM + out.getvalue(), media_type="text/csv; charset=utf-8", headers={"content-disposition": disposition}
    )
