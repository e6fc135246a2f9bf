"""What the recorder hands to the spool: bytes for the object store and the line that the manifest gains once they
are safe.

``entry`` is plain JSON and all that is needed to put the object into its epoch's manifest, so that a spool found
after a crash needs no recorder:
    {"lesson", "epoch", "opened_at_ms", "track", "source", "mime", "init": {...} | "fragment": {...} | "gap": {...}}
    {"lesson", "epoch", "opened_at_ms", "closed": true}
An object without ``data`` is an entry only (a gap, the close): it is spooled like the others but nothing is uploaded.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class RecordedObject:
    key: str
    data: bytes
    content_type: str
    entry: dict[str, Any] = field(default_factory=dict)
