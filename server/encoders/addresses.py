"""What a camera's address says, pure: where it is, what may be shown of it, and what only nodes are told.

Shown and compared is the address without name and password, and with "***" for values that are named like passwords
(many cameras take them behind the path: ``/user=admin_password=x_channel=1``). The rest is sealed.
"""

from __future__ import annotations

import ipaddress
import re
from typing import NamedTuple
from urllib.parse import SplitResult, quote, unquote, urlsplit

from server.encoders.schemas import SCHEMES
from server.errors import InvalidError

HIDDEN = "***"
LONGEST_ADDRESS, LONGEST_SECRET = 400, 200
"""As ``SourceOrder`` takes them."""
_HOST = re.compile(r"^[A-Za-z0-9.:_-]{1,253}$")
_SECRET = re.compile(
    r"(?<![A-Za-z0-9])([a-z]*(?:pass|passwd|password|pwd|psw|token|secret|auth|sign|signature|key)=)"
    r"[^&;/?]+?(?=_[a-z]+=|[&;/?]|$)",
    re.IGNORECASE,
)


class Camera(NamedTuple):
    address: str
    """Without name and password before the host."""
    secret: str
    """"name:password" in the clear, or empty."""


def split_url(url: str) -> Camera:
    """Raises InvalidError for what no camera's address is, and for the node's own machine and its neighbours' metadata:
    an address is no way into our own network services."""
    try:
        parts = urlsplit(url)
        _, host = parts.port, parts.hostname or ""
    except ValueError as error:
        raise InvalidError("source_url", field="url") from error
    if parts.scheme not in SCHEMES or not _HOST.match(host) or parts.fragment or any(ch <= " " for ch in url):
        raise InvalidError("source_url", field="url")
    if _forbidden(host):
        raise InvalidError("source_host", field="url")
    camera = taken_apart(url)
    if len(camera.address) > LONGEST_ADDRESS or len(camera.secret) > LONGEST_SECRET:
        raise InvalidError("source_url", field="url")
    return camera


def taken_apart(url: str) -> Camera:
    """Of an address that was looked at when it was typed."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    where = f"[{host}]" if ":" in host else host
    address = parts._replace(netloc=f"{where}:{parts.port}" if parts.port else where).geturl()
    secret = f"{unquote(parts.username)}:{unquote(parts.password or '')}" if parts.username else ""
    return Camera(address, secret)


def put_together(camera: Camera) -> str:
    """The way back."""
    if not camera.secret:
        return camera.address
    name, _, password = camera.secret.partition(":")
    parts = urlsplit(camera.address)
    return parts._replace(netloc=f"{quote(name, safe='')}:{quote(password, safe='')}@{parts.netloc}").geturl()


def shown(address: str) -> str:
    """What pages, the JSON API and the log may show of it. It names the device: it stays when a password changes."""
    parts = urlsplit(address)
    return parts._replace(path=_hidden(parts.path), query=_hidden(parts.query)).geturl()


def _hidden(text: str) -> str:
    return _SECRET.sub(rf"\g<1>{HIDDEN}", text)


def kept(typed: Camera, was: Camera) -> Camera:
    """What a form that shows no password means: values left hidden are those that were, and the name and password go on
    as long as the device is the same. Raises InvalidError where what is hidden belongs to another address."""
    address, secret = typed
    if HIDDEN in address:
        if address != shown(was.address):
            raise InvalidError("source_password", field="url")
        address = was.address
    return Camera(address, secret or (was.secret if _device(address) == _device(was.address) else ""))


def _device(address: str) -> tuple[str, str | None, int | None]:
    parts: SplitResult = urlsplit(address)
    return parts.scheme, parts.hostname, parts.port


def _forbidden(host: str) -> bool:
    """Names are looked at again by the node, once they are addresses."""
    if host.lower().rstrip(".") in ("localhost", "localhost.localdomain"):
        return True
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return host.isdigit() or host.lower().startswith("0x")  # 2130706433 is 127.0.0.1
    return found.is_loopback or found.is_link_local or found.is_multicast or found.is_unspecified
