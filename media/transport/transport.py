"""One peer's secure path: ICE-lite and DTLS joined. Sans-IO: datagrams in, replies out, ``state`` to look at."""

from __future__ import annotations

from dataclasses import dataclass, field

from media.parameters import IceCredentials, TransportParameters
from media.transport.certificate import Certificate
from media.transport.dtls import DtlsServer, DtlsState
from media.transport.ice import IceLite, Path, new_credentials
from media.wire.stun import StunMessage

_MOST_PATHS = 16  # one per address pair a browser checks; a roaming phone leaves old ones behind


@dataclass(slots=True)
class StunOutcome:
    """``valid``: the path is the peer's. ``selected``: media goes there from now on."""

    reply: bytes | None
    valid: bool = False
    selected: bool = False


@dataclass(slots=True)
class PeerTransport:
    """``lost`` is the reason of death; ``connected`` when media may flow."""

    router: str
    name: str
    peer: int
    ice: IceLite
    dtls: DtlsServer
    path: Path | None = None
    nominated: bool = False
    connected: bool = False
    keyed: bool = False
    paths: list[Path] = field(default_factory=list)
    lost: str | None = None

    @classmethod
    def create(
        cls, router: str, name: str, peer: int, offered: TransportParameters, certificate: Certificate, now: float
    ) -> PeerTransport:
        ice = IceLite(new_credentials(), offered.ice, now)
        return cls(router, name, peer, ice, DtlsServer(certificate, offered.fingerprints))

    def remember(self, path: Path) -> Path | None:
        """Keeps a checked path; returns the one that has to go for it."""
        self.paths.append(path)
        if len(self.paths) <= _MOST_PATHS:
            return None
        oldest = next(p for p in self.paths if p != self.path)
        self.paths.remove(oldest)
        return oldest

    def restart_ice(self, remote: IceCredentials, now: float) -> IceCredentials:
        """RFC 8445 section 9: new credentials, DTLS and SRTP go on."""
        self.ice.restart(new_credentials(), remote, now)
        self.nominated = False
        return self.ice.local

    def on_check(self, request: StunMessage, path: Path, now: float) -> StunOutcome:
        """Browsers nominate aggressively towards lite; until they do, the first path that works serves."""
        result = self.ice.check(request, path, now)
        if not result.valid:
            return StunOutcome(result.reply)
        select = path != self.path and (result.nominated or self.path is None)
        self.nominated = self.nominated or result.nominated
        if select:
            self.path = path
        return StunOutcome(result.reply, True, select)

    def consent(self, data: bytes, path: Path, now: float) -> bytes | None:
        """The reply, where this is but a check of the path in use like the one before; None: it must be read."""
        return self.ice.consent(data, path, now) if self.connected and path == self.path else None

    @property
    def failure(self) -> str | None:
        """Why DTLS ended: "dtls", "fingerprint" or "closed"."""
        ended = self.dtls.state in (DtlsState.FAILED, DtlsState.IMPOSTOR, DtlsState.CLOSED)
        return self.dtls.state.value if ended else None

    def silent(self, now: float, limit: float) -> bool:
        """Nobody checked this peer's consent for too long (RFC 7675): closing a tab says nothing."""
        return now - self.ice.last_check > limit
