"""How each kind of channel wants to be spoken to: rows in, requests out; answers in, verdicts out. Pure: no socket.

企业微信 and 钉钉 robots take text and answer 200 with an ``errcode``. The SMS adapter and webhooks take JSON, signed:
``Tongtang-Signature: t=<unix seconds>,v1=<hex>`` where v1 is HMAC-SHA256(secret, "<t>.<body>"), as ``signature`` does.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import quote

from server.clock import to_ms

PREFIX = "【同堂】"
"""Robots that let only messages with a keyword in: give them this one."""
MOST_BYTES = 1800
"""企业微信 takes 2048 bytes of text, 钉钉 more."""


@dataclass(frozen=True, slots=True)
class Written:
    """One delivery as the carriers see it."""

    id: str
    event: str
    text: str
    phone: str
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Letter:
    """One request. Its verdict holds for all its deliveries."""

    url: str
    body: bytes
    deliveries: tuple[str, ...]
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """``problem`` None: it arrived. Else a key of ``outbox.problem.*``."""

    problem: str | None = None
    status: int | None = None


class Carrier(Protocol):
    """One way out. ``endpoint`` and ``secret`` are the channel's."""

    def letters(self, endpoint: str, secret: str, rows: Sequence[Written], now: datetime) -> list[Letter]: ...

    def judge(self, status: int, body: bytes) -> Verdict: ...


def signature(secret: str, moment: datetime, body: bytes) -> str:
    seconds = int(moment.timestamp())
    digest = hmac.new(secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={seconds},v1={digest}"


def dingtalk_url(endpoint: str, secret: str, moment: datetime) -> str:
    """加签: HMAC-SHA256 of "<ms>\\n<secret>" under the secret, in base64, in the query."""
    if not secret:
        return endpoint
    ms = to_ms(moment)
    digest = hmac.new(secret.encode(), f"{ms}\n{secret}".encode(), hashlib.sha256).digest()
    joint = "&" if "?" in endpoint else "?"
    return f"{endpoint}{joint}timestamp={ms}&sign={quote(base64.b64encode(digest), safe='')}"


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def gathered(rows: Sequence[Written]) -> list[tuple[str, tuple[str, ...]]]:
    """(text, deliveries): many notices in few messages, for robots may speak twenty times a minute."""
    made: list[tuple[str, tuple[str, ...]]] = []
    for row in rows:
        line = row.text.encode()[: MOST_BYTES - len(PREFIX.encode())].decode(errors="ignore")
        text, ids = made[-1] if made else ("", ())
        if text and len(f"{text}\n{line}".encode()) <= MOST_BYTES:
            made[-1] = (f"{text}\n{line}", (*ids, row.id))
        else:
            made.append((PREFIX + line, (row.id,)))
    return made


class Robot:
    """企业微信 and 钉钉: the same text message; ``signed`` as 钉钉 signs."""

    def __init__(self, *, signed: bool) -> None:
        self._signed = signed

    def letters(self, endpoint: str, secret: str, rows: Sequence[Written], now: datetime) -> list[Letter]:
        url = dingtalk_url(endpoint, secret, now) if self._signed else endpoint
        return [Letter(url, _json({"msgtype": "text", "text": {"content": text}}), ids) for text, ids in gathered(rows)]

    def judge(self, status: int, body: bytes) -> Verdict:
        if not 200 <= status < 300:
            return _by_status(status)
        try:
            code = int(json.loads(body)["errcode"])
        except (ValueError, KeyError, TypeError):
            return Verdict("not_a_robot", status)
        return Verdict() if code == 0 else Verdict("refused", code)


class Signed:
    """Webhooks and the SMS adapter: one signed JSON request a delivery; any 2xx is a yes."""

    def __init__(self, *, sms: bool) -> None:
        self._sms = sms

    def letters(self, endpoint: str, secret: str, rows: Sequence[Written], now: datetime) -> list[Letter]:
        return [self._letter(endpoint, secret, row, now) for row in rows]

    def _letter(self, endpoint: str, secret: str, row: Written, now: datetime) -> Letter:
        told = {"phone": row.phone, "text": PREFIX + row.text} if self._sms else row.body
        body = _json({"id": row.id, "event": row.event, **told})
        headers = {
            "tongtang-event": row.event,
            "tongtang-delivery": row.id,
            "tongtang-signature": signature(secret, now, body),
        }
        return Letter(endpoint, body, (row.id,), headers)

    def judge(self, status: int, body: bytes) -> Verdict:
        return Verdict(status=status) if 200 <= status < 300 else _by_status(status)


def _by_status(status: int) -> Verdict:
    return Verdict("redirect" if 300 <= status < 400 else "status", status)


CARRIERS: dict[str, Carrier] = {
    "wecom": Robot(signed=False),
    "dingtalk": Robot(signed=True),
    "sms": Signed(sms=True),
    "webhook": Signed(sms=False),
}
