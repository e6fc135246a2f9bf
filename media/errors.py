"""Errors of the media plane, by whose fault it is (h11's habit).

MediaError
├── PeerError      what the peer sent cannot be used: counted and dropped, or the one transport dies
└── ResourceError  a bound of ours is reached (transports, tracks, history): the caller answers "room is full"
"""


class MediaError(Exception):
    """Base of everything ``media`` raises on purpose."""


class PeerError(MediaError):
    """The peer's bytes or parameters are unusable."""


class ResourceError(MediaError):
    """A configured bound is reached."""
