"""The layers of one published picture: what each costs, which are sent, which are wanted, whose clock is whose.

Rule: a layer that nobody took for ten seconds is no longer wanted, and its publisher may pause it; one that was wanted
and did not come is not waited for: the next lower one that is sent is shown meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from media.engine import Reception
from media.forward.clock import SenderClock
from media.parameters import Quality

# What browsers send by default when a layer was never seen (bit/s, with headers), by number of layers.
_USUAL: dict[int, tuple[int, ...]] = {
    1: (1_500_000,),
    2: (200_000, 1_500_000),
    3: (160_000, 550_000, 2_600_000),
}
_OVERHEAD = 28 + 16  # bytes a packet: RTP header, extensions and SRTP tag, as feedback counts them
_SMOOTHING = 0.3
_RUNS = 0.3  # seconds without a packet: the last second is no measure of what a moving picture costs
_LINGER = 10.0
_NAMES: dict[int, tuple[Quality, ...]] = {1: ("high",), 2: ("low", "high"), 3: ("low", "mid", "high")}


@dataclass(slots=True)
class Layer:
    """One engine stream. Report state is that of RFC 3550 appendix A.3."""

    stream: int
    index: int
    rid: str | None
    price: int  # bit/s, measured while it is sent
    sr: SenderClock | None = None
    prior: tuple[int, int] = (0, 0)  # (expected, received) at the last report
    lost: float = 0.0  # share of its packets that did not come lately, after what was sent again
    active: bool = False
    active_since: float = 0.0
    wanted_at: float = float("-inf")
    wanted_since: float | None = None
    _seen: tuple[float, int, int] | None = field(default=None)  # (time, bytes, packets)

    def want(self, now: float) -> None:
        """Somebody takes it."""
        if self.wanted_since is None or now - self.wanted_at > _LINGER:
            self.wanted_since = now
        self.wanted_at = now

    def may_come(self, now: float, patience: float) -> bool:
        """It is not sent, but nobody asked for it so far, or not for long."""
        unasked = self.wanted_since is None or now - self.wanted_at > _LINGER
        return unasked or now - (self.wanted_since or 0.0) < patience

    def measure(self, seen: Reception | None, now: float) -> None:
        """Once a second or so: what the layer costs. A pause is not a low price."""
        if seen is None or now - seen.last_arrival > _RUNS:
            self._seen = None
            return
        before, self._seen = self._seen, (now, seen.bytes, seen.received)
        if before is None or now <= before[0] or seen.received < before[2]:
            return
        packets = seen.received - before[2]
        rate = (seen.bytes - before[1] + packets * _OVERHEAD) * 8 / (now - before[0])
        # A price that fell is believed slowly: a teacher who sits still for a moment will move again.
        self.price += round(_SMOOTHING * (2 if rate > self.price else 1) * (rate - self.price))


def make(streams: list[int], rids: tuple[str, ...], video: bool) -> tuple[Layer, ...]:
    """Layers lowest first, in the order of ``rids``; one without a name where there are none."""
    names: tuple[str | None, ...] = rids or (None,)
    usual = _USUAL.get(len(names)) or tuple(160_000 * 3**i for i in range(len(names)))
    prices = usual if video else (60_000,)
    return tuple(
        Layer(stream, i, rid, price) for i, (stream, rid, price) in enumerate(zip(streams, names, prices, strict=True))
    )


def quality(layers: int, level: int) -> Quality:
    """The name of a level (-2 off, -1 stills, 0.. layer) among so many layers."""
    if level < 0:
        return "off" if level < -1 else "stills"
    names = _NAMES.get(layers)
    if names is not None:
        return names[level]
    return "low" if level == 0 else "high" if level == layers - 1 else "mid"


def nearest(layers: tuple[Layer, ...], level: int) -> Layer | None:
    """The layer to show for ``level``: itself, else the highest one below it that is sent; when none is sent at all,
    itself. None: only higher ones are sent, which the line does not carry."""
    wanted = layers[max(level, 0)]
    sent = [one for one in layers if one.active]
    below = [one for one in sent if one.index <= wanted.index]
    return below[-1] if below else None if sent else wanted


def offset(old: Layer, new: Layer, clock_rate: int) -> int | None:
    """Added to ``new``'s timestamps gives ``old``'s clock, by both sender reports (RFC 3550 section 6.4.1); they come
    of one computer, so its clock need not be right."""
    if old.sr is None or new.sr is None:
        return None
    between = round((new.sr.ntp_seconds - old.sr.ntp_seconds) * clock_rate)
    return (old.sr.rtp_timestamp + between - new.sr.rtp_timestamp) & 0xFFFFFFFF


def wanted(layers: tuple[Layer, ...], now: float) -> tuple[str, ...]:
    """Rids of the layers somebody took within the last ten seconds."""
    return tuple(one.rid for one in layers if one.rid is not None and now - one.wanted_at < _LINGER)
