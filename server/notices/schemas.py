"""What notice routes give."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel


class NoticeOut(BaseModel):
    id: str
    key: str
    text: str
    """In the asker's language."""
    href: str
    lesson: str | None
    urgent: bool
    at: datetime
    read_at: datetime | None


class NoticesOut(BaseModel):
    unread: int
    notices: list[NoticeOut]
