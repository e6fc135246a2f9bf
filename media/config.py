"""Settings of one node's media plane. Rule: each constant carries its reason; no environment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

EngineChoice = Literal["auto", "native", "python"]


@dataclass(frozen=True, slots=True)
class MediaConfig:
    """``addresses`` are bound and advertised one by one: a reply must leave from the address that was asked.

    ``port`` is the same for UDP and TCP; 0 lets the system choose (tests).
    """

    addresses: tuple[str, ...]
    port: int
    tcp: bool = True
    engine: EngineChoice = "auto"  # the C twin where it is there
    max_transports: int = 2000
    max_tracks: int = 64  # of one transport: an offer with more m-lines is not a lesson's
    silence_s: float = 10.0  # browsers check every ~2.5 s: four missed checks
    tcp_buffer: int = 256 * 1024  # above it media is late anyway: drop instead of queueing
    tcp_connections: int = 4096
