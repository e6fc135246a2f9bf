"""Logins for relays: in the seat's answer, of the site's making, ending by themselves."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime

import pytest

from server.config import SettingsError, load
from server.lessons.relays import ice_servers
from signaling.seats import RELAY_SECONDS

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
ENVIRONMENT = {
    "TONGTANG_NODE_SECRET": "0123456789abcdef",
    "TONGTANG_TURN_URLS": "turn:{host}:3478?transport=udp,turns:relay.example:443?transport=tcp",
    "TONGTANG_TURN_SECRET": "shared",
}


def test_a_login_is_what_coturn_expects() -> None:
    [relay] = ice_servers(load(ENVIRONMENT), "class.test", "t-1", NOW)
    assert relay.urls == ["turn:class.test:3478?transport=udp", "turns:relay.example:443?transport=tcp"]
    expiry, _, who = relay.username.partition(":")
    assert (int(expiry), who) == (int(NOW.timestamp()) + RELAY_SECONDS, "t-1")
    wanted = hmac.new(b"shared", relay.username.encode(), hashlib.sha1).digest()
    assert base64.b64decode(relay.credential) == wanted


def test_a_site_without_relays_names_none() -> None:
    assert ice_servers(load({"TONGTANG_NODE_SECRET": "0123456789abcdef"}), "class.test", "t-1", NOW) == []


@pytest.mark.parametrize(
    "change",
    [
        {"TONGTANG_TURN_SECRET": ""},
        {"TONGTANG_TURN_URLS": "https://relay.example"},
        {"TONGTANG_TURN_URLS": "turn:relay.example?transport=sctp"},
    ],
)
def test_what_cannot_work_is_refused_at_the_start(change: dict[str, str]) -> None:
    with pytest.raises(SettingsError):
        load(ENVIRONMENT | change)
