"""Simulcast of an m-line (RFC 8853, RFC 8851): which layers of an offer we take, and how the answer says so. Pure.

Rule: a layer is taken only if its packets can be told apart, that is with the rid header extension (RFC 8852).
"""

from __future__ import annotations

from signaling.sdp.codecs import MID, RID
from signaling.sdp.model import MediaSection, Payload, Rid

MOST = 3
"""A wall, a tile, a thin line: nobody sends more, and each layer costs the sender an encoder."""


def offered(media: MediaSection) -> list[str]:
    """The rids of ``a=simulcast:send``, in the offer's order; of alternatives ("a,b") the first. A tilde only says that
    the layer begins paused (RFC 8853 section 5.1)."""
    words = (media.simulcast or "").split()
    for direction, streams in zip(words[::2], words[1::2], strict=False):
        if direction == "send":
            first = [stream.split(",")[0].lstrip("~") for stream in streams.split(";")]
            return list(dict.fromkeys(first))
    return []


def _takes(rid: Rid, payload: Payload) -> bool:
    """Whether the layer may use this payload type (RFC 8851 section 4: "pt=" limits it)."""
    for part in rid.restrictions.split(";"):
        name, _, value = part.partition("=")
        if name.strip() == "pt":
            return str(payload.payload_type) in [one.strip() for one in value.split(",")]
    return True


def layers(media: MediaSection, payload: Payload) -> tuple[str, ...]:
    """The rids we take; empty: the m-line is one plain stream. A single layer is none."""
    uris = {one.uri for one in media.extmaps}
    if media.kind != "video" or not {MID, RID} <= uris:
        return ()
    known = {rid.id: rid for rid in media.rids if rid.direction == "send"}
    found = [one for one in offered(media) if one in known and _takes(known[one], payload)]
    return tuple(found[:MOST]) if len(found) > 1 else ()


def answered(rids: tuple[str, ...]) -> tuple[tuple[Rid, ...], str | None]:
    """``a=rid`` lines and ``a=simulcast`` of the answer."""
    if not rids:
        return (), None
    return tuple(Rid(one, "recv") for one in rids), f"recv {';'.join(rids)}"
