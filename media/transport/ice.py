"""ICE-lite for one peer (RFC 8445 sections 2.5, 6.1.1, 7.3): answers checks, remembers which path was nominated.

Rule: never sends a check of its own; a path exists only after an authenticated request came over it.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from media.parameters import IceCredentials
from media.wire import stun

# RFC 8445 section 5.3 wants at least 24 and 128 bits; token_hex keeps to ice-chars.
_UFRAG_BYTES, _PWD_BYTES = 6, 16

Path = tuple[int, tuple[str, int]]
"""(engine port, remote address): where datagrams of a peer come from and go to."""


def new_credentials() -> IceCredentials:
    return IceCredentials(secrets.token_hex(_UFRAG_BYTES), secrets.token_hex(_PWD_BYTES))


@dataclass(frozen=True, slots=True)
class Checked:
    """What one check led to. ``reply`` is None for silence; ``valid`` says that it was authentic."""

    reply: bytes | None
    valid: bool = False
    nominated: bool = False


class IceLite:
    """Local credentials, and the time of the peer's last authentic check (consent, RFC 7675)."""

    __slots__ = ("_previous", "_usual", "last_check", "local", "remote")

    def __init__(self, local: IceCredentials, remote: IceCredentials, now: float) -> None:
        self.local = local
        self.remote = remote
        self._previous: tuple[IceCredentials, IceCredentials] | None = None
        self._usual: stun.Routine | None = None  # checks like the last good one
        self.last_check = now

    def restart(self, local: IceCredentials, remote: IceCredentials, now: float) -> None:
        """RFC 8445 section 9. The old credentials keep the old path alive until a check with the new ones arrives."""
        self._previous, self._usual = (self.local, self.remote), None
        self.local, self.remote, self.last_check = local, remote, now

    @property
    def ufrags(self) -> tuple[str, ...]:
        return (self.local.ufrag, self._previous[0].ufrag) if self._previous else (self.local.ufrag,)

    def check(self, request: stun.StunMessage, path: Path, now: float) -> Checked:
        """Answers one Binding request."""
        ours, _, theirs = request.username.partition(":")
        pair = next((p for p in ((self.local, self.remote), self._previous) if p and p[0].ufrag == ours), None)
        if pair is None or theirs != pair[1].ufrag or not stun.verify(request, pair[0].pwd):
            return Checked(stun.error(request, 401, "Unauthorized", None))
        if request.unknown_required:
            return Checked(stun.error(request, 420, "Unknown Attribute", pair[0].pwd))
        if stun.ICE_CONTROLLED in request.attributes:  # a lite agent is always the controlled one (section 6.1.1)
            return Checked(stun.error(request, 487, "Role Conflict", pair[0].pwd))
        if pair[0] is self.local:
            self._previous = None
            if request.integrity_at is not None:
                self._usual = stun.Routine(request, path, pair[0].pwd)
        self.last_check = now
        host, port = path[1]
        reply = stun.success(request.transaction, host, port, pair[0].pwd)
        return Checked(reply, valid=True, nominated=stun.USE_CANDIDATE in request.attributes)

    def consent(self, data: bytes, path: Path, now: float) -> bytes | None:
        """The reply to a check like the last good one (RFC 7675), which can lead to nothing new; None for any other."""
        usual = self._usual
        reply = usual.answer(data) if usual is not None and usual.path == path else None
        if reply is not None:
            self.last_check = now
        return reply
