"""Pictures of a camera we fetch, made fit for a lesson: whole for whoever comes at a key frame, in order. Pure.

A camera may name its parameter sets once (SDP, sequence header), change its resolution in mid-stream, set its clock.
"""

from __future__ import annotations

from fractions import Fraction

from media.wire.h264 import IDR, PPS, SPS, looks_ahead, split, unit_type
from signaling.sources import SourceError

START = b"\0\0\0\1"
FRAME = Fraction(1, 25)
LEAP = Fraction(10)
"""No picture is so long in coming: the camera's clock was set."""


class Whole:
    """Before each key frame stand the newest parameter sets. ``known``: what was named beside the stream."""

    def __init__(self, known: bytes) -> None:
        self._sets = [unit for unit in split(known) if unit_type(unit) in (SPS, PPS)]

    def picture(self, data: bytes) -> tuple[bytes, bool]:
        """One access unit as start codes, empty where there is no picture in it; and whether it looks ahead."""
        units = split(data)
        kinds = {unit_type(unit) for unit in units}
        if SPS in kinds:
            self._sets = [unit for unit in units if unit_type(unit) in (SPS, PPS)]
        elif IDR in kinds:
            units = [*self._sets, *units]
        whole = b"".join(START + unit for unit in units)
        return whole, any(looks_ahead(unit) for unit in units)


class Order:
    """Seconds since the first picture, only ever rising."""

    def __init__(self) -> None:
        self._zero: Fraction | None = None
        self._last: Fraction | None = None

    def at(self, told: Fraction | None, ahead: bool) -> Fraction:
        """Of a picture that the camera says is shown at ``told``. RTSP often gives the very first none: it came a frame
        before the next. SourceError("bframes") where it goes before one already sent: browsers show it late, or never.
        """
        behind = Fraction(0) if self._last is None else self._last + FRAME
        if told is None:
            self._last = behind
        elif self._zero is None:
            self._zero, self._last = told - behind, behind
        else:
            at = told - self._zero
            before = self._last if self._last is not None else at
            if ahead and before - LEAP < at < before:
                raise SourceError("bframes")
            if not before <= at < before + LEAP:
                self._zero, at = told - behind, behind
            self._last = at
        return self._last
