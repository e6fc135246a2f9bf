"""Cameras and recording hosts that we fetch from (RTSP, RTMP): which addresses, under which names, how often. Pure.

Rule: an address that an administrator typed is no way into this machine or the network's own services. Names are
looked up once, and what was looked at is what is connected to.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

SCHEMES = ("rtsp", "rtsps", "rtmp", "rtmps")
FIRST_SECONDS, MOST_SECONDS = 1.0, 30.0
STEADY_SECONDS = 60.0
"""A fetch that held so long was a good one: the next break is a new one."""


class SourceError(Exception):
    """Why nothing can be fetched: one of the words that ``why`` gives, or "over": the lesson is."""


_WHY = {
    "HTTPUnauthorizedError": "password",
    "HTTPForbiddenError": "password",
    "PermissionError": "password",
    "HTTPNotFoundError": "path",
    "HTTPBadRequestError": "path",
    "FileNotFoundError": "path",
    "InvalidDataError": "stream",
    "DemuxerNotFoundError": "stream",
    "ProtocolNotFoundError": "address",
}


def why(error: Exception) -> str:
    """The one thing to look at: address, name, forbidden, away (does not answer), password, path, stream (what answers
    is no camera), codec (not H.264), bframes (pictures out of order), stuck (connected, but no picture comes),
    door (our own node takes nothing now). Pages have a sentence for each."""
    if isinstance(error, SourceError):
        return str(error)
    return _WHY.get(type(error).__name__, "away")


@dataclass(slots=True)
class Patience:
    """How long to wait before the next try: for ever, but not faster than a camera can restart."""

    wait: float = FIRST_SECONDS

    def after(self, held: float) -> float:
        if held >= STEADY_SECONDS:
            self.wait = FIRST_SECONDS
        now, self.wait = self.wait, min(MOST_SECONDS, self.wait * 2)
        return now


def host_of(address: str) -> str:
    try:
        parts = urlsplit(address)
        host = parts.hostname
    except ValueError as error:
        raise SourceError("address") from error
    if parts.scheme not in SCHEMES or not host:
        raise SourceError("address")
    return host


def choose(addresses: list[str], local: bool) -> str:
    """The first that may be fetched from. ``local``: also this machine and its link."""
    for one in addresses:
        found = ipaddress.ip_address(one.partition("%")[0])
        if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
            found = found.ipv4_mapped
        if found.is_multicast or found.is_unspecified or found.is_reserved:
            continue
        if local or not (found.is_loopback or found.is_link_local):
            return one
    raise SourceError("forbidden")


def url_of(address: str, secret: str, ip: str) -> str:
    """What the demuxer gets: the looked-up address in the name's place, name and password back in."""
    parts = urlsplit(address)
    where = f"[{ip}]" if ":" in ip else ip
    if parts.port:
        where = f"{where}:{parts.port}"
    if secret:
        name, _, password = secret.partition(":")
        where = f"{quote(name, safe='')}:{quote(password, safe='')}@{where}"
    return parts._replace(netloc=where).geturl()
