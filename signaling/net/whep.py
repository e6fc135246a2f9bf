"""WHEP: a player receives with one POST; the same door as WHIP, turned round."""

from __future__ import annotations

from signaling.net.whip import WhipDoor


class WhepDoor(WhipDoor):
    pc = "sub"
