"""One link's packets as bytes: head, the receiver's own extension block, payload, encrypted where they lie.

Rule: straight into the peer's outgoing arena, behind each other, so that one system call sends a burst. Two different
packets never go out under one SSRC and number: their keystream would be the same (RFC 7714 section 9.1).
"""

from __future__ import annotations

from collections.abc import Sequence

from media.engine import LinkConfig
from media.forward.history import Media
from media.forward.rewrite import Rewriter
from media.transport.outbox import Outbox
from media.wire.extensions import Layout
from media.wire.vp8 import NUMBERED, Shift, renumbered

_KEPT = 256  # packets that can go out once more under their own number; half a second of 5 Mbit/s
_P = 0x20  # RFC 3550 section 5.1: the last byte says how many bytes at the end mean nothing
_PADDING = bytes(254) + b"\xff"


class Writer:
    """``write`` anything, ``keep`` what may have to go out ``again`` where the receiver takes no RTX."""

    __slots__ = ("_bare", "_kept", "_outbox", "_rtx_sequence", "_rtx_ssrc", "_with_level", "keeps", "ssrc")

    def __init__(self, outbox: Outbox, config: LinkConfig, rtx_sequence: int) -> None:
        self._outbox = outbox
        self._bare = Layout(config.extensions, config.mid, audio_level=False)
        self._with_level = Layout(config.extensions, config.mid, config.kind == "audio")
        self.ssrc = config.ssrc
        self._rtx_ssrc = config.rtx_ssrc
        self._rtx_sequence = rtx_sequence
        self.keeps = config.kind == "video" and (config.rtx_ssrc is None or any(c.rtx is None for c in config.codecs))
        self._kept: list[tuple[int, int, int, bytes, bytes, bytes] | None] = [None] * (_KEPT if self.keeps else 0)

    @property
    def head_size(self) -> int:
        return self._bare.size

    def write(self, second: int, sequence: int, timestamp: int, ssrc: int, level: bytes, payload: bytes) -> int:
        """The hottest lines of the house: per packet and receiver one ``pack_into``, one copy, one encryption.

        Gives the encrypted size, 0 when it cannot be sent.
        """
        form = self._with_level if level else self._bare
        outbox = self._outbox
        start = form.size
        size = start + len(payload)
        at = outbox.fill
        if at + size > outbox.limit and (at := outbox.room(size)) < 0:
            return 0
        wide = b""
        if form.transport_cc:
            outbox.transport_cc = number = outbox.transport_cc + 1
            wide = (number & 0xFFFF).to_bytes(2, "big")
        a, b, c, d = form.fixed
        stamp, data = outbox.burst.stamp, outbox.data
        form.pack_into(data, at, form.first, second, sequence, timestamp, ssrc, a, level, b, stamp, c, wide, d)
        data[at + start : at + size] = payload
        size = outbox.protect(outbox.arena, at, size)
        if size:
            if not wide:
                outbox.unnumbered.append(len(outbox.sizes))
            outbox.sizes.append(size)
            outbox.fill = at + size
        elif wide:
            outbox.transport_cc -= 1
        return size

    @property
    def many(self) -> bool:
        """Whether ``write_all`` can."""
        return self._bare.transport_cc and not self.keeps and self._outbox.ready and self._outbox.bare is not None

    def write_all(
        self, passed: Sequence[tuple[Media, bool]], rewriter: Rewriter, kind: int, shift: Shift | None
    ) -> tuple[int, bytes]:
        """A frame's packets, where ``many``: ``write`` in one loop, with what they have in common looked up once, which
        halves the price. Books what it wrote with ``rewriter``; bytes of payload, and the newest as it came. What
        cannot be encrypted counts as sent and lost."""
        form, outbox = self._bare, self._outbox
        assert outbox.bare is not None
        protect, context, length = outbox.bare
        data, pointer, sizes = outbox.data, outbox.arena.pointer, outbox.sizes
        at, limit, wide = outbox.fill, outbox.limit, outbox.transport_cc
        byte, before, last = form.first, form.before_number(outbox.burst.stamp), form.fixed[3]
        first, offset, clock, highest = rewriter.first, rewriter.offset, rewriter.timestamp_offset, rewriter.highest
        ssrc, octets, packing, tag = self.ssrc, 0, -1, 0
        newest = known = head = b""
        for (number, timestamp, marker, _, payload), _ in passed:
            if number < first:
                continue
            number += offset
            timestamp = (timestamp + clock) & 0xFFFFFFFF
            if len(payload) != packing:
                packing = len(payload)
                pack_into, size = form.whole(packing), form.size + packing
            if at + size > limit:
                outbox.fill, outbox.transport_cc = at, wide
                if (at := outbox.room(size)) < 0:
                    return octets, newest
                limit, sizes = outbox.limit, outbox.sizes
            sent = payload
            if shift is not None:  # the same few bytes for all packets of a picture
                if (start := payload[:NUMBERED]) != known:
                    known, head = start, renumbered(start, shift)
                sent = head + payload[NUMBERED:]
            wide += 1
            low, lowest = number & 0xFFFF, wide & 0xFFFF
            pack_into(data, at, byte, kind | marker, low, timestamp, ssrc, before, lowest, last, sent)
            octets += packing
            if number > highest:
                rewriter.highest = highest = number
                rewriter.last_timestamp, newest = timestamp, payload or newest
            length[0] = size
            if protect(context, pointer + at, length):
                wide -= 1
                continue
            tag = tag or length[0] - size
            sizes.append(size + tag)
            at += size + tag
        outbox.fill, outbox.transport_cc = at, wide
        return octets, newest

    def rtx(self, second: int, sequence: int, timestamp: int, level: bytes, payload: bytes) -> int:
        """RFC 4588 section 4: another SSRC, its own numbers, the original one in front of the payload."""
        if self._rtx_ssrc is None:
            return 0
        self._rtx_sequence = self._rtx_sequence + 1 & 0xFFFF
        original = sequence.to_bytes(2, "big") + payload
        return self.write(second, self._rtx_sequence, timestamp, self._rtx_ssrc, level, original)

    def padding(self, second: int, timestamp: int) -> int:
        """Nothing but padding as RTX: what a probe is made of when all is forgotten."""
        if self._rtx_ssrc is None:
            return 0
        self._rtx_sequence = self._rtx_sequence + 1 & 0xFFFF
        wide = self._wide(1)
        size = self._seal(_P, second, self._rtx_sequence, timestamp, self._rtx_ssrc, wide, _PADDING)
        if size and wide:
            self._outbox.unnumbered.pop()
            self._outbox.transport_cc += 1
        return size

    def _wide(self, ahead: int) -> bytes:
        """The transport-wide number that was last written, or one ahead of it."""
        return (self._outbox.transport_cc + ahead & 0xFFFF).to_bytes(2, "big") if self._bare.transport_cc else b""

    def keep(self, number: int, second: int, timestamp: int, payload: bytes) -> None:
        """Remembers what was just written; its extensions are part of what must not change."""
        self._kept[number % _KEPT] = (number, second, timestamp, payload, self._outbox.burst.stamp, self._wide(0))

    def again(self, number: int) -> int:
        """The very same bytes once more; 0 when they are forgotten."""
        kept = self._kept[number % _KEPT] if self.keeps else None
        if kept is None or kept[0] != number:
            return 0
        _, second, timestamp, payload, stamp, wide = kept
        return self._seal(0, second, number & 0xFFFF, timestamp, self.ssrc, wide, payload, stamp)

    def _seal(
        self,
        bits: int,
        second: int,
        sequence: int,
        timestamp: int,
        ssrc: int,
        wide: bytes,
        payload: bytes,
        stamp: bytes | None = None,
    ) -> int:
        """As ``write``, for what is rare: counts nothing, everything is given. ``bits``: of the first byte."""
        form, outbox = self._bare, self._outbox
        size = form.size + len(payload)
        at = outbox.room(size)
        if at < 0:
            return 0
        stamp = outbox.burst.stamp if stamp is None else stamp
        a, b, c, d = form.fixed
        first = form.first | bits
        form.pack_into(outbox.data, at, first, second, sequence, timestamp, ssrc, a, b"", b, stamp, c, wide, d)
        outbox.data[at + form.size : at + size] = payload
        size = outbox.protect(outbox.arena, at, size)
        if size:
            outbox.unnumbered.append(len(outbox.sizes))
            outbox.queue(size)
        return size
