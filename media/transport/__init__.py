"""One peer's secure path: ICE-lite, DTLS, SRTP."""
