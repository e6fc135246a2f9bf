"""The one door through which the web's own requests leave for strangers' addresses.

An address typed into a form is no way into our own network: https only, and the name is looked up here, judged, and the
very address that was judged is dialled (a name that changes between two looks gets nowhere). No redirect is followed.
TONGTANG_OUTWARD_LOCAL opens the bureau's own network, never this machine's link (metadata services live there).
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import socket
import ssl
from typing import Any
from urllib.parse import urlsplit

import httpx2

from server.outbox.carriers import Letter

SECONDS = 10.0
"""For the whole request, whatever the other side does."""
MOST_ANSWER = 64_000
NAT64 = ipaddress.ip_network("64:ff9b::/96")

log = logging.getLogger("tongtang.outbox")


class ClosedError(Exception):
    """Why a request did not get an answer: a key of ``outbox.problem.*``."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


def check_url(url: str, local: bool) -> tuple[str, int, str]:
    """(scheme, port, host) of an address that may be asked at all; ClosedError otherwise."""
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname or ""
    except ValueError as error:
        raise ClosedError("address") from error
    schemes = ("https", "http") if local else ("https",)
    plain = all(33 <= ord(ch) < 127 for ch in url)
    if parts.scheme not in schemes or not host or parts.username is not None or parts.fragment or not plain:
        raise ClosedError("address")
    if _literal(host) is not None and not may_dial(host, local):
        raise ClosedError("forbidden")
    if host.rstrip(".").lower().endswith("localhost") and not local:
        raise ClosedError("forbidden")
    return parts.scheme, port or (443 if parts.scheme == "https" else 80), host


def _literal(host: str) -> object | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def may_dial(address: str, local: bool) -> bool:
    """Whether this very address may be connected to."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            found = found.ipv4_mapped
        elif found in NAT64 or found.sixtofour is not None or found.teredo is not None:
            return False  # an address of the old kind in disguise
    if found.is_link_local or found.is_multicast or found.is_unspecified or found.is_reserved:
        return False
    return local or found.is_global


async def resolve(host: str, port: int, local: bool) -> str:
    """The first address of the name, if every one of them may be dialled: half a trap is a trap."""
    loop = asyncio.get_running_loop()
    try:
        rows = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise ClosedError("unknown_host") from error
    found = [str(row[4][0]) for row in rows]
    if not found or not all(may_dial(one, local) for one in found):
        raise ClosedError("forbidden")
    return found[0]


class Door:
    """``tls`` is for tests: a context that trusts their certificate."""

    def __init__(self, *, local: bool, seconds: float = SECONDS, tls: ssl.SSLContext | bool = True) -> None:
        self.local = local
        self._seconds = seconds
        # trust_env: a proxy would look the name up again, unjudged
        self._client = httpx2.AsyncClient(timeout=seconds, verify=tls, trust_env=False, follow_redirects=False)

    async def aclose(self) -> None:
        await self._client.aclose()

    async def post(self, letter: Letter) -> tuple[int, bytes]:
        """(status, beginning of the answer); ClosedError when there is none."""
        try:
            async with asyncio.timeout(self._seconds):
                return await self._post(letter)
        except (TimeoutError, httpx2.TimeoutException) as error:
            raise ClosedError("timeout") from error
        except httpx2.HTTPError as error:
            log.info("%s: %r", urlsplit(letter.url).hostname, error)
            raise ClosedError("tls" if _about_tls(error) else "unreachable") from error

    async def _post(self, letter: Letter) -> tuple[int, bytes]:
        _, port, host = check_url(letter.url, self.local)
        address = await resolve(host, port, self.local)
        url = httpx2.URL(letter.url)
        headers = {
            "content-type": "application/json; charset=utf-8",
            "user-agent": "Tongtang",
            "host": url.netloc.decode(),
            **letter.headers,
        }
        extensions: dict[str, Any] = {"sni_hostname": host} if url.scheme == "https" else {}
        request = self._client.build_request(
            "POST", url.copy_with(host=address), content=letter.body, headers=headers, extensions=extensions
        )
        answer = await self._client.send(request, stream=True)
        taken = b""
        try:
            async for chunk in answer.aiter_raw():
                taken += chunk
                if len(taken) >= MOST_ANSWER:
                    break
        finally:
            await answer.aclose()
        return answer.status_code, taken[:MOST_ANSWER]


def _about_tls(error: BaseException) -> bool:
    held: BaseException | None = error
    while held is not None:
        if isinstance(held, ssl.SSLError):
            return True
        held = held.__cause__ or held.__context__
    return False
