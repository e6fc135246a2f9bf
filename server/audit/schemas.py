"""What the audit log shows."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel


class EntrySeen(BaseModel):
    id: str
    at: datetime
    act: str
    kind: str
    row_id: str | None
    person_id: str | None
    person: str | None
    school_id: str | None
    told: dict[str, Any]
    seal: int | None
    """Number in the chain; None: not sealed yet."""


class EntriesSeen(BaseModel):
    items: list[EntrySeen]
    count: int
    page: int
    pages: int
