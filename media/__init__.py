"""Packets only: from a datagram to playable fragments. Never sees SDP, people or SQL."""
