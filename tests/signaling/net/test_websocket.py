"""Which pages may connect."""

from __future__ import annotations

import pytest

from signaling.net.websocket import OriginRule


@pytest.mark.parametrize(
    ("origin", "host", "allowed"),
    [
        (None, "a:8001", True),
        ("http://a:8000", "a:8001", True),
        ("https://a", "a", True),
        ("http://[::1]:8000", "[::1]:8001", True),
        ("http://b:8000", "a:8001", False),
        ("null", "a:8001", False),
        ("http://a.evil", "a:8001", False),
        ("http://a", None, False),
    ],
)
def test_the_same_host_name(origin: str | None, host: str | None, allowed: bool) -> None:
    assert OriginRule(()).allows(origin, host) is allowed


def test_named_origins() -> None:
    rule = OriginRule(("https://class.example",))
    assert rule.allows("https://class.example", "node:1") and rule.allows(None, "x")
    assert not rule.allows("https://node", "node:1") and not rule.allows("http://class.example", "node:1")
