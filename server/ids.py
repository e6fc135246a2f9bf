"""Row ids: 80 random bits in lower-case base32, so that nothing can be counted or guessed from an address."""

from __future__ import annotations

import base64
import hashlib
import secrets


def new_id() -> str:
    return base64.b32encode(secrets.token_bytes(10)).decode().lower()


def named_id(*names: object) -> str:
    """The same id for the same names for ever: rows that are made again from the same source (demo, roll-ups)."""
    digest = hashlib.sha256("\x1f".join(map(str, names)).encode()).digest()
    return base64.b32encode(digest[:10]).decode().lower()
