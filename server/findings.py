"""What a look at a site found (``doctor.py``): one line each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Band = Literal["good", "caution", "bad"]


@dataclass(frozen=True, slots=True)
class Finding:
    """``key`` names the sentence "doctor.<key>", and "doctor.<key>.mend" when the band is not good."""

    band: Band
    key: str
    params: dict[str, Any] = field(default_factory=dict)


def short(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [""]
    return (lines[0] or type(error).__name__)[:160]
