"""What the path test is given."""

from __future__ import annotations

from pydantic import BaseModel, Field

from server.lessons.schemas import IceServerOut


class WayOut(BaseModel):
    """``url`` takes an SDP offer under the bearer ``token``."""

    url: str
    token: str
    ice_servers: list[IceServerOut] = Field(serialization_alias="iceServers")
