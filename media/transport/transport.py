"""One peer's secure path: ICE-lite and DTLS joined. Sans-IO: datagrams in, replies out, ``state`` to look at."""

from __future__ import annotations

from dataclasses import dataclass, field

from media.parameters import IceCredentials, TransportParameters
from media.transport.certificate import Certificate
from media.transport.dtls import DtlsServer, DtlsState
from media.transport.ice import IceLite, Path, new_credentials
from media.wire.stun import StunMessage


@dataclass(slots=True)
class StunOutcome:
    """``valid``: the path is the peer's. ``selected``: media goes there from now on."""

    reply: bytes | None
    valid: bool = False
    selected: bool = False


@dataclass(slots=True)
class PeerTransport:
    """``lost`` is the reason of death, once; ``connected`` when media may flow."""

    router: str
    name: str
    peer: int
    ice: IceLite
    dtls: DtlsServer
    path: Path | None = None
    nominated: bool = False
    connected: bool = False
    lost: str | None = None
    tracks: dict[str, int] = field(default_factory=dict)
    slots: dict[str, int] = field(default_factory=dict)

    @classmethod
    def create(
        cls, router: str, name: str, peer: int, offered: TransportParameters, certificate: Certificate, now: float
    ) -> PeerTransport:
        ice = IceLite(new_credentials(), offered.ice, now)
        return cls(router, name, peer, ice, DtlsServer(certificate, offered.fingerprints))

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

    def on_dtls(self, datagram: bytes) -> list[bytes]:
        replies = self.dtls.receive(datagram)
        self._follow()
        return replies

    def tick_dtls(self) -> list[bytes]:
        replies = self.dtls.tick()
        self._follow()
        return replies

    def _follow(self) -> None:
        if self.dtls.state in (DtlsState.FAILED, DtlsState.IMPOSTOR, DtlsState.CLOSED):
            self.lost = self.lost or self.dtls.state.value

    def silent(self, now: float, limit: float) -> bool:
        """Nobody checked this peer's consent for too long (RFC 7675): closing a tab says nothing."""
        return now - self.ice.last_check > limit
