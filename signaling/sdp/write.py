"""Description -> SDP text, in the order of lines browsers use. ``parse(write(d)) == d`` for every d that ``parse``
gave.
"""

from __future__ import annotations

from collections.abc import Iterator

from signaling.sdp.model import Description, MediaSection, Payload


def write(description: Description) -> str:
    return "".join(f"{line}\r\n" for line in _lines(description))


def _lines(description: Description) -> Iterator[str]:
    yield "v=0"
    yield f"o=- {description.session_id} {description.version} IN IP4 127.0.0.1"
    yield "s=-"
    yield "t=0 0"
    if description.ice_lite:
        yield "a=ice-lite"  # RFC 8839 section 5.3
    if description.bundle:
        yield "a=group:BUNDLE " + " ".join(description.bundle)
    if description.extmap_allow_mixed:
        yield "a=extmap-allow-mixed"
    if description.ice_options:
        yield f"a=ice-options:{description.ice_options}"
    for media in description.media:
        yield from _media(media)


def _media(media: MediaSection) -> Iterator[str]:
    yield f"m={media.kind} {media.port} {media.protocol} {' '.join(media.formats)}"
    yield "c=IN IP4 0.0.0.0"
    for name, value in (("ice-ufrag", media.ice_ufrag), ("ice-pwd", media.ice_pwd)):
        if value is not None:
            yield f"a={name}:{value}"
    for algorithm, digest in media.fingerprints:
        yield f"a=fingerprint:{algorithm} {digest}"
    if media.setup:
        yield f"a=setup:{media.setup}"
    if media.mid is not None:
        yield f"a=mid:{media.mid}"
    for extmap in media.extmaps:
        way = f"/{extmap.direction}" if extmap.direction else ""
        yield f"a=extmap:{extmap.id}{way} {extmap.uri}"
    yield f"a={media.direction}"
    if media.msid:
        yield f"a=msid:{media.msid}"
    if media.rtcp_mux:
        yield "a=rtcp-mux"
    if media.rtcp_rsize:
        yield "a=rtcp-rsize"
    for payload in media.payloads:
        yield from _payload(payload)
    yield from _sources(media)
    for candidate in media.candidates:
        yield f"a=candidate:{candidate}"
    if media.end_of_candidates:
        yield "a=end-of-candidates"


def _payload(payload: Payload) -> Iterator[str]:
    channels = f"/{payload.channels}" if payload.channels != 1 else ""
    yield f"a=rtpmap:{payload.payload_type} {payload.name}/{payload.clock_rate}{channels}"
    for feedback in payload.feedback:
        yield f"a=rtcp-fb:{payload.payload_type} {feedback}"
    if payload.fmtp:
        yield f"a=fmtp:{payload.payload_type} {payload.fmtp}"


def _sources(media: MediaSection) -> Iterator[str]:
    for rid in media.rids:
        yield " ".join([f"a=rid:{rid.id}", rid.direction, *filter(None, [rid.restrictions])])
    if media.simulcast is not None:
        yield f"a=simulcast:{media.simulcast}"
    for group in media.ssrc_groups:
        yield "a=ssrc-group:" + " ".join([group.semantics, *map(str, group.ssrcs)])
    for ssrc in media.ssrcs:
        for name, value in ssrc.attributes:
            yield f"a=ssrc:{ssrc.ssrc} {name}:{value}" if value else f"a=ssrc:{ssrc.ssrc} {name}"
