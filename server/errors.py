"""Errors a user can cause, each with a status and a text key; one handler in ``app.py`` turns them into a page or JSON.

``key`` names a sentence in both languages (``error.<key>`` in ``frontend/locale/*/errors.json``) that says what to do.
"""

from __future__ import annotations

from typing import Any


class TongtangError(Exception):
    status = 400
    key = "bad_request"

    def __init__(self, key: str | None = None, **params: Any) -> None:
        self.key = key or type(self).key
        self.params = params
        super().__init__(self.key)


class InvalidError(TongtangError):
    """Understood, but cannot be done as asked. ``field`` in params where one is to blame."""

    status = 422
    key = "invalid"


class SignInNeededError(TongtangError):
    status = 401
    key = "sign_in"


class ForbiddenError(TongtangError):
    status = 403
    key = "forbidden"


class PasswordGivenError(ForbiddenError):
    """First sign-in: nothing else before a password of one's own."""

    key = "password_given"


class NotFoundError(TongtangError):
    """Also for things that exist outside the asker's scope: nobody learns that they do."""

    status = 404
    key = "not_found"


class ConflictError(TongtangError):
    status = 409
    key = "conflict"


class TooLargeError(TongtangError):
    status = 413
    key = "too_large"


class TooManyError(TongtangError):
    status = 429
    key = "too_many"


class UnavailableError(TongtangError):
    """A part of ours is down; nothing was lost; try again."""

    status = 503
    key = "unavailable"
