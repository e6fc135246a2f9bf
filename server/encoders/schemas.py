"""What routes and forms of encoders take and give."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

MOST_KEYS = 5
"""A classroom has a recording host and perhaps a spare; more is forgetting to withdraw."""

SCHEMES = ("rtsp", "rtsps", "rtmp", "rtmps")


class KeyBody(BaseModel):
    model_config = ConfigDict(extra="forbid")
    label: Annotated[str, Field(min_length=1, max_length=40)]


class SourceBody(BaseModel):
    """``url`` may carry name and password; an empty one takes the source away."""

    model_config = ConfigDict(extra="forbid")
    url: Annotated[str, Field(max_length=500)] = ""


class KeyOut(BaseModel):
    id: str
    label: str
    created_at: datetime


class MadeKey(KeyOut):
    key: str
    """Shown this once."""
    url: str


class SourceOut(BaseModel):
    address: str
    """Without name and password; "***" stands for values that are named like passwords."""
    with_password: bool
