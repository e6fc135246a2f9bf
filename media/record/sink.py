"""What a recorder's track looks like to the packet path: the recorder is one more subscriber.

The caller promises: plain RTP of the primary payload type, RTX unwrapped, no duplicates, in order of arrival. A new
SSRC on the same sink is a publisher that came back. Times are the node's monotonic seconds.
"""

from __future__ import annotations

from typing import Protocol


class TrackSink(Protocol):
    def on_rtp(self, packet: bytes, arrival: float) -> None: ...

    def on_sender_report(self, ssrc: int, ntp_seconds: float, rtp_timestamp: int, arrival: float) -> None:
        """``ntp_seconds`` is the publisher's own clock and may be wrong by any amount."""
