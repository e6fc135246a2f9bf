"""Addresses and secrets of channels as the database keeps them: sealed, under a key derived from the site's one key.

A robot's address holds its key, a webhook's secret signs what we say: who reads a copy of the database can use neither.
Fernet (AES-128-CBC with HMAC-SHA256); "" stays "". With a new site key they are sealed anew: ``tongtang reseal OLD``.
"""

from __future__ import annotations

import base64
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from server.config import WebSettings
from server.security import load_keys

MARK = "f1."
"""How it is sealed; another way would get another mark."""


class SealedError(Exception):
    """Sealed with a key that is not ours."""


class Vault:
    def __init__(self, key: bytes) -> None:
        self._fernet = Fernet(base64.urlsafe_b64encode(key))

    @classmethod
    def of(cls, settings: WebSettings) -> Vault:
        return cls.at(settings.seat_key)

    @classmethod
    def at(cls, seat_key: Path) -> Vault:
        return cls(load_keys(seat_key).outbox)

    def seal(self, plain: str) -> str:
        return MARK + self._fernet.encrypt(plain.encode()).decode() if plain else ""

    def open(self, sealed: str) -> str:
        if not sealed:
            return ""
        try:
            return self._fernet.decrypt(sealed.removeprefix(MARK).encode()).decode()
        except InvalidToken as error:
            raise SealedError from error
