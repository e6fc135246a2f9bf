"""Encoders and players from outside (WHIP, WHEP), and sources the node fetches itself: whom they stand for. Pure.

An encoder holds a stream key of a classroom; the web tells the node the key's digest with the room (``RoomSpec``), so
a node needs nobody to know it again, and a key that was withdrawn is gone with the next spec. What it sends takes the
place of the classroom's own page, source by source, while it sends; when it ends, the page's own is shown again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from signaling.messages import RoomPlace, RoomSpec
from signaling.seats import RESUME_AFTER_END_SECONDS, Seat

KEY_PREFIX = "tk-"
"""A stream key begins so: people see what they hold, and no seat token looks like it."""


@dataclass(frozen=True, slots=True)
class IceServer:
    """``url``: "turn:relay.example:3478?transport=udp"; the others empty for STUN."""

    url: str
    username: str = ""
    credential: str = ""


def link(server: IceServer) -> str:
    """RFC 9725 section 4.4: a Link header for one server."""
    words = [f"<{server.url}>", 'rel="ice-server"']
    if server.username:
        words += [f'username="{server.username}"', f'credential="{server.credential}"', 'credential-type="password"']
    return "; ".join(words)


def digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def encoder_seat(spec: RoomSpec, epoch: int, key: str, node: str, now_s: int) -> Seat | None:
    """The seat of whoever shows this stream key; None when it opens nothing here."""
    return keyed_seat(spec, epoch, digest(key), node, now_s) if key.startswith(KEY_PREFIX) else None


def keyed_seat(spec: RoomSpec, epoch: int, shown: str, node: str, now_s: int) -> Seat | None:
    """As ``encoder_seat``, by the key's digest."""
    room = next((one.room for one in spec.encoders if one.sha256 == shown), None)
    place = next((one for one in spec.rooms if one.id == room), None)
    return seat_of(spec, epoch, place, node, now_s) if place else None


def seat_of(spec: RoomSpec, epoch: int, place: RoomPlace, node: str, now_s: int) -> Seat:
    until = max(spec.ends_at_ms // 1000, now_s) + RESUME_AFTER_END_SECONDS
    name, school = place.name, place.school
    return Seat(spec.lesson, epoch, "encoder", f"e-{place.id}", name, school, place.id, None, node, now_s, until)


def withdrawn(before: RoomSpec, after: RoomSpec) -> Iterable[str]:
    """Encoder seats that no key opens any more."""
    left = {one.room for one in after.encoders}
    return sorted({f"e-{one.room}" for one in before.encoders if one.room not in left})


def stands_for(spec: RoomSpec, seat: Seat) -> str:
    """The seat whose camera and microphone this one's are."""
    if seat.role != "encoder":
        return seat.id
    place = next((one for one in spec.rooms if one.id == seat.room), None)
    if place is None:
        return seat.id
    return spec.teacher_seat if place.lead else place.seat
