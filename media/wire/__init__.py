"""Bytes to values and back, pure. One file a format; every parser raises PeerError and nothing else on bad bytes."""
