"""Tickets: what a redirect carries in a bearer's place, and what it does not open."""

from __future__ import annotations

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from signaling.seats import (
    TICKET_SECONDS,
    SeatError,
    as_seen_from,
    issue,
    issue_ticket,
    over_http,
    read_ticket,
    seat_in,
    sign,
)
from tests.support.signaling import make_seat

KEY = Ed25519PrivateKey.generate()
NOW = 1_000_000.0


def test_a_stream_keys_ticket_tells_its_digest_only() -> None:
    ticket = issue_ticket("L1", "tk-secret", KEY, NOW)
    held = read_ticket(ticket, KEY.public_key(), lesson="L1", now=NOW + 1)
    assert (held.sha256, held.seat) == (hashlib.sha256(b"tk-secret").hexdigest(), None)


def test_a_seats_ticket_is_that_seat_and_no_longer_than_that_seat() -> None:
    seat = make_seat("watch")
    ticket = issue_ticket("L1", issue(seat, KEY), KEY, NOW)
    held = read_ticket(ticket, KEY.public_key(), lesson="L1", now=NOW)
    assert held.seat is not None
    assert seat_in(held.seat, lesson="L1", epoch=seat.epoch, now=seat.expires_at) == seat
    with pytest.raises(SeatError, match="expired"):
        seat_in(held.seat, lesson="L1", epoch=seat.epoch, now=seat.expires_at + 1)
    foreign = issue_ticket("L1", issue(seat, Ed25519PrivateKey.generate()), KEY, NOW)
    assert read_ticket(foreign, KEY.public_key(), lesson="L1", now=NOW).seat is None, "not ours: it opens nothing"


@pytest.mark.parametrize(
    ("text", "lesson", "late", "code"),
    [
        (issue_ticket("L1", "tk-1", KEY, NOW), "L1", TICKET_SECONDS + 1, "expired"),
        (issue_ticket("L1", "tk-1", KEY, NOW), "L2", 0, "lesson"),
        (issue_ticket("L1", "tk-1", Ed25519PrivateKey.generate(), NOW), "L1", 0, "signature"),
        (issue(make_seat("teacher"), KEY), "L1", 0, "purpose"),
        (sign({"aud": "way", "exp": NOW + 9}, KEY), "L1", 0, "purpose"),
        ("x", "L1", 0, "malformed"),
        ("", "L1", 0, "malformed"),
    ],
)
def test_what_is_no_ticket_here_and_now(text: str, lesson: str, late: float, code: str) -> None:
    with pytest.raises(SeatError, match=code):
        read_ticket(text, KEY.public_key(), lesson=lesson, now=NOW + late)


@pytest.mark.parametrize(
    ("public", "host", "http"),
    [
        ("ws://{host}:8001", "10.0.0.7", "http://10.0.0.7:8001"),
        ("ws://{host}:8001", "[::1]", "http://[::1]:8001"),
        ("wss://class.example/n/1/", "other.example", "https://class.example/n/1"),
    ],
)
def test_a_nodes_address_as_an_encoder_sees_it(public: str, host: str, http: str) -> None:
    assert over_http(as_seen_from(public, host)) == http
